"""Lists for clients: narrowed, ordered, page by page, as JSON and as tables."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io

import pytest
from astropy.io import fits, votable
from astropy.table import Table
from django.db import connection
from django.test.utils import CaptureQueriesContext

from detection.models import Detection
from observations.models import Observation
from tests.browsers import onlooker
from tests.clients import client_of
from tests.curation.cutouts import detection_with_cutouts
from tests.factories import (
    AlertFactory,
    CandidateFactory,
    DetectionFactory,
    ObservationFactory,
    SourceFactory,
    ValidationEventFactory,
)

pytestmark = pytest.mark.django_db
DETECTIONS = "/api/v1/detections/"


def found(client, query: str, path: str = DETECTIONS) -> list[str]:
    answer = client.get(f"{path}?{query}")
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_fields_have_their_own_names_and_keys_are_text():
    row = DetectionFactory(confidence_score=0.75)
    shown = client_of("viewer").get(f"{DETECTIONS}{row.pk}/").json()
    names = {field.name for field in Detection._meta.concrete_fields} - {
        "healpix", "drawn_score", "queue_score", "is_injected", "anomaly", "disagreement",
    }  # fmt: skip
    assert shown.keys() == names | {"expanded"} and shown["expanded"] is None
    assert (shown["id"], shown["source"], shown["model_run"]) == (
        str(row.pk),
        str(row.source_id),
        str(row.model_run_id),
    )
    assert (shown["ra"], shown["dec"], shown["validation_confidence"]) == (row.ra, row.dec, None)
    assert shown["created_at"].endswith("Z")


def test_the_pages_together_are_the_list_and_lead_back():
    rows = [str(DetectionFactory(confidence_score=score / 10).pk) for score in (1, 5, 5, 3, 9, 5, 7)]
    client, page, read = client_of("viewer"), f"{DETECTIONS}?page_size=2&ordering=-confidence_score", []
    while page:
        answer = client.get(page).json()
        read.append([row["id"] for row in answer["results"]])
        last, page = page, answer["next"]
    everything = [key for keys in read for key in keys]
    assert sorted(everything) == sorted(rows)
    back = client.get(client.get(last).json()["previous"]).json()
    assert [row["id"] for row in back["results"]] == read[-2]
    assert "ordering=-confidence_score" in back["next"]


def test_filters_narrow_by_field_and_range():
    high, low = DetectionFactory(confidence_score=0.9, status="validated"), DetectionFactory(confidence_score=0.2)
    other = DetectionFactory(confidence_score=0.8, is_validated=True)
    client = client_of("viewer")
    assert found(client, "confidence_score__gte=0.8&ordering=-confidence_score") == [str(high.pk), str(other.pk)]
    assert found(client, "confidence_score__lt=0.8") == [str(low.pk)]
    assert set(found(client, "status=pending")) == {str(low.pk), str(other.pk)}
    assert set(found(client, "status__in=pending,validated")) == {str(row.pk) for row in (high, low, other)}
    assert found(client, f"source={low.source_id}") == [str(low.pk)]
    assert found(client, "is_validated=true") == [str(other.pk)]
    assert set(found(client, f"id__in={low.pk},{high.pk}")) == {str(low.pk), str(high.pk)}
    assert found(client, "created_at__gt=2999-01-01T00:00:00Z") == []


@pytest.mark.parametrize("path", [DETECTIONS, "/api/v1/candidates/", "/api/v1/sources/"])
def test_a_cone_finds_what_is_near_also_across_ra_0(path):
    near, far = DetectionFactory(ra=359.9999, dec=10.0, candidate__ra=359.9999, candidate__dec=10.0), DetectionFactory()
    near.source.ra, near.source.dec = 359.9999, 10.0
    near.source.save()
    key = {"detections": near, "candidates": near.candidate, "sources": near.source}[path.split("/")[3]]
    assert found(client_of("viewer"), "cone=0.0001,10.0,1", path) == [str(key.pk)]
    assert far.ra != near.ra


def test_a_cone_finds_frames_by_their_centre():
    row = ObservationFactory(ra=10.0, dec=-20.0)
    ObservationFactory(ra=12.0, dec=-20.0)
    assert found(client_of("viewer"), "cone=10.1,-20,3600", "/api/v1/observations/") == [str(row.pk)]


@pytest.mark.parametrize(
    "cone",
    [
        "",
        "1,2",
        "1,2,3,4",
        "a,b,c",
        "nan,0,1",
        "360,0,1",
        "-1,0,1",
        "0,91,1",
        "0,0,0",
        "0,0,36001",
        "0,0,inf",
        "0,0,nan",
    ],
)
def test_a_cone_that_is_none_is_refused(cone):
    answer = client_of("viewer").get(DETECTIONS, {"cone": cone})
    assert answer.status_code == 400 and "cone" in answer.json()["errors"]


@pytest.mark.parametrize(
    "query",
    [
        "is_validated=maybe",
        "is_validated=1",
        "confidence_score__gte=high",
        "confidence_score__gte=nan",
        "source=5",
        "id__in=a,b",
    ],
)
def test_a_value_that_cannot_be_read_never_shows_everything(query):
    DetectionFactory()
    assert client_of("viewer").get(f"{DETECTIONS}?{query}").status_code == 400


def test_half_a_detection_is_no_whole_number():
    assert client_of("viewer").get("/api/v1/sources/?detection_count__gte=1.5").status_code == 400


@pytest.mark.parametrize(
    "path", [DETECTIONS, "/api/v1/candidates/", "/api/v1/sources/", "/api/v1/observations/", "/api/v1/model-runs/"]
)
def test_a_page_of_many_asks_the_database_as_often_as_a_page_of_one(path):
    client = client_of("viewer")
    DetectionFactory()
    client.get(path)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(path)
        counts.append(len(queries))
        DetectionFactory.create_batch(5)
    assert counts[0] == counts[1] <= 6


# --- Known already ---
@pytest.mark.parametrize("form", ["json", "csv", "votable"])
def test_what_a_client_has_already_is_answered_with_304(form):
    row, client = DetectionFactory(), client_of("viewer")
    for path in (DETECTIONS, f"{DETECTIONS}{row.pk}/"):
        tag = client.get(f"{path}?format={form}")["ETag"]
        answer = client.get(f"{path}?format={form}", headers={"If-None-Match": f'"other", W/{tag}'})
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)
        Detection.objects.update(human_label=f"asteroid{len(path)}")
        answer = client.get(f"{path}?format={form}", headers={"If-None-Match": tag})
        assert (answer.status_code, answer["ETag"] == tag) == (200, False)


# --- Tables ---
def test_a_csv_holds_the_page_and_its_header_the_way_to_the_next():
    DetectionFactory.create_batch(3)
    client = client_of("viewer")
    answer = client.get(f"{DETECTIONS}?format=csv&page_size=2")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    expected = client.get(f"{DETECTIONS}?page_size=2").json()
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert [row["id"] for row in rows] == [row["id"] for row in expected["results"]]
    assert [float(row["ra"]) for row in rows] == [row["ra"] for row in expected["results"]]
    assert rows[0]["validation_confidence"] == "" and rows[0]["is_validated"] == "false"
    following = answer["Link"].partition("<")[2].partition(">")[0]
    assert 'rel="next"' in answer["Link"]
    assert len(client.get(following).content.splitlines()) == 2


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_text_that_a_spreadsheet_would_carry_out_is_defused_and_a_number_is_not(name):
    SourceFactory(name=name, ra=10.0, dec=-5.5)
    text = client_of("viewer").get("/api/v1/sources/?format=csv").content.decode()
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["name"], row["dec"]) == (f"'{name}", "-5.5")


def test_a_votable_is_valid_keeps_keys_whole_and_says_which_columns_are_positions():
    rows = DetectionFactory.create_batch(2)
    SourceFactory()
    content = client_of("viewer").get(f"{DETECTIONS}?format=votable").content
    table = votable.parse(io.BytesIO(content), verify="exception")
    assert table.resources[0].type == "results"
    columns = {field.name: field for field in table.get_first_table().fields}
    assert (columns["id"].datatype, columns["id"].arraysize, columns["id"].ucd) == ("char", "36", "meta.id;meta.main")
    assert (columns["ra"].datatype, str(columns["ra"].unit), columns["ra"].ucd) == (
        "double",
        "deg",
        "pos.eq.ra;meta.main",
    )
    read = Table.read(io.BytesIO(content), format="votable")
    assert set(read["id"]) == {str(row.pk) for row in rows}
    assert list(read["ra"]) == [row.ra for row in rows]
    assert all(read["validation_confidence"].mask)


def test_a_table_of_nothing_has_its_columns():
    client = client_of("viewer")
    read = Table.read(io.BytesIO(client.get(f"{DETECTIONS}?format=votable").content), format="votable")
    assert len(read) == 0 and {"id", "ra", "status"} <= set(read.colnames)
    assert client.get(f"{DETECTIONS}?format=csv").content.startswith(b"id,created_at,")


def test_text_that_no_xml_can_hold_breaks_no_table():
    SourceFactory(name="<b>\x01&é", last_detected_at=dt.datetime(2024, 3, 1, tzinfo=dt.UTC))
    SourceFactory(last_detected_at=None)
    content = client_of("viewer").get("/api/v1/sources/?format=votable").content
    read = Table.read(io.BytesIO(content), format="votable")
    assert sorted(read["name"]) == ["", "<b>&é"]
    assert sorted(map(str, read["last_detected_at"])) == ["", "2024-03-01T00:00:00Z"] or "--" in map(
        str, read["last_detected_at"]
    )


# --- Only what is asked for ---
@pytest.mark.parametrize("path", ["", "export/"])
def test_a_client_names_the_fields_that_it_wants(path):
    row, client = DetectionFactory(), client_of("viewer")
    answer = client.get(f"{DETECTIONS}{path}?format=csv&fields=id,ra")
    assert next(iter(answer)).decode().splitlines()[0] == "id,ra"
    assert client.get(f"{DETECTIONS}?fields=id").json()["results"] == [{"id": str(row.pk)}]
    one = client.get(f"{DETECTIONS}{row.pk}/?fields=status")
    assert one.json() == {"status": "pending"}
    assert one["ETag"] != client.get(f"{DETECTIONS}{row.pk}/")["ETag"]
    refused = client.get(f"{DETECTIONS}{path}?fields=id,rra")
    assert refused.status_code == 400 and "There is no field rra." in refused.json()["detail"]


# --- By its own time and brightness ---
@pytest.mark.parametrize(
    "query",
    ["mjd_utc__gte=80100", "snr__gte=30", "flux__gte=2000", "band=g", "cone=10,20,5&mjd_utc__lte=80300"],
)
def test_detections_are_found_by_the_time_and_the_light_of_their_frame(query):
    DetectionFactory()
    frame = ObservationFactory(mjd_utc=80200.0, filter_band="g")
    candidate = CandidateFactory(difference_run__observation=frame, snr=40.0, flux=3000.0)
    wanted = DetectionFactory(candidate=candidate, observation=frame, ra=10.0, dec=20.0)
    answer = client_of("viewer").get(f"{DETECTIONS}?{query}")
    assert [row["id"] for row in answer.json()["results"]] == [str(wanted.pk)]


def test_who_keeps_a_copy_asks_for_what_changed_since():
    rows, client = DetectionFactory.create_batch(3), client_of("viewer")
    seen = client.get(f"{DETECTIONS}?ordering=updated_at").json()["results"][-1]["updated_at"]
    Detection.objects.filter(pk=rows[0].pk).update(human_label="asteroid")
    changed = client.get(f"{DETECTIONS}?ordering=updated_at&updated_at__gt={seen.replace('+', '%2B')}").json()[
        "results"
    ]
    assert [row["id"] for row in changed] == [str(rows[0].pk)]


# --- Everything in one answer ---
def test_one_answer_holds_everything_about_a_detection():
    event = ValidationEventFactory(label="asteroid", confidence_level="high")
    alert = AlertFactory(detection=event.detection)
    answer = client_of("viewer").get(f"{DETECTIONS}{event.detection_id}/?expand=all").json()
    told = answer["expanded"]
    frame = event.detection.observation
    assert answer["id"] == str(event.detection_id)
    assert told["measurement"]["midpoint_mjd_utc"] == frame.mjd_utc
    # 37 s since 2017.
    assert told["measurement"]["midpoint_mjd_tai"] == pytest.approx(frame.mjd_utc + 37 / 86400, abs=1e-9)
    assert told["measurement"]["midpoint_utc"].endswith("Z")
    assert [one["detection"] for one in told["light_curve"]["epochs"]] == [str(event.detection_id)]
    assert [(one["label"], one["is_real"]) for one in told["judgements"]] == [("asteroid", event.is_valid)]
    assert told["alerts"] == [str(alert.pk)]
    assert told["motion"] is None and told["context"]["verdict"]


def test_each_link_of_a_detection_leads_there(empty_data_root):
    row, client = detection_with_cutouts(), client_of("viewer")
    (empty_data_root / "raw.fits").write_bytes(b"SIMPLE")
    Observation.objects.filter(pk=row.observation_id).update(fits_file_path="raw.fits")
    links = client.get(f"{DETECTIONS}{row.pk}/?expand=links").json()["expanded"]["links"]
    rows = ("observation", "candidate", "difference_run", "source", "light_curve")
    paths = [*(links[name] for name in rows), *links["cutouts"].values(), links["images"]["raw"]]
    assert [client.get(path).status_code for path in paths] == [200] * len(paths) and len(links["cutouts"]) == 7
    assert onlooker("viewer").get(links["page"]).status_code == 200
    bare = client.get(f"{DETECTIONS}{DetectionFactory(source=None).pk}/?expand=links").json()["expanded"]["links"]
    assert (bare["cutouts"], bare["source"], bare["light_curve"]) == ({}, None, None)


def test_only_what_is_named_is_told_and_only_to_whose_token_includes_it():
    row = DetectionFactory()
    client = client_of("viewer", ["detections:read", "alerts:read"])
    told = client.get(f"{DETECTIONS}{row.pk}/?expand=alerts").json()["expanded"]
    assert told["alerts"] == [] and told["measurement"] is None
    refusal = client.get(f"{DETECTIONS}{row.pk}/?expand=alerts,judgements")
    assert (refusal.status_code, refusal.json()["code"]) == (403, "scope_lacks")
    for query in ("expand=colour", "expand=alerts&format=csv"):
        assert client.get(f"{DETECTIONS}{row.pk}/?{query}").status_code == 400
    assert client.get(f"{DETECTIONS}?expand=alerts").status_code == 400


def test_the_images_of_a_detection_are_had_as_fits_and_as_pictures(empty_data_root):
    row, client = detection_with_cutouts(), client_of("viewer")
    address = f"{DETECTIONS}{row.pk}/files"
    answer = client.get(f"{address}/difference.fits.gz/")
    with fits.open(io.BytesIO(gzip.decompress(answer.content))) as images:
        assert images[0].data.shape == (63, 63) and images[0].header["EXTNAME"] == "DIFFERENCE"
    for name in ("science.png", "cutouts.png"):
        assert client.get(f"{address}/{name}/").content.startswith(b"\x89PNG")
    assert client.get(f"{address}/other.png/").json()["code"] == "no_such_file"
    assert client.get(f"{DETECTIONS}{DetectionFactory().pk}/files/science.png/").json()["code"] == "file_gone"
