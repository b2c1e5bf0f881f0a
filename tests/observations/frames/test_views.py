"""The pages of frames and of handing them in."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import tracemalloc

import numpy as np
import pytest
from astropy.io import fits
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from catalog.files import storage
from catalog.models import AuditLog, JobStatus, ProcessingJob
from observations.frames import previews
from observations.models import IncomingFile, Observation, ObservationStatus
from observations.numerics.display import draw, shrink
from tests.browsers import client_of
from tests.factories import (
    FIRST_EXPOSURE,
    DoubtFactory,
    FieldFactory,
    ObservationFactory,
    PreprocessRunFactory,
    SurveyFactory,
)
from tests.observations.stored import fits_bytes, stored_frame

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
LIST = "observations:observations"


def shown(client, **query):
    return [row.observation_id for row in client.get(reverse(LIST), query).context["page"].rows]


def test_frames_are_narrowed_and_the_newest_comes_first():
    field = FieldFactory(name="M31")
    ObservationFactory(observation_id="a1", status=ObservationStatus.DIFFERENCED, filter_band="V", field=field)
    ObservationFactory(observation_id="b2", night="2024-05-05", survey=SurveyFactory(name="other"))
    client = client_of("viewer")
    assert shown(client) == ["b2", "a1"]
    for query in (
        {"survey": str(Observation.objects.get(observation_id="a1").survey_id)},
        {"status": "differenced"},
        {"filter_band": "V"},
        {"field": "m31"},
        {"name": "a"},
        {"night_to": "2024-04-01"},
    ):
        assert shown(client, **query) == ["a1"]
    assert shown(client, night_from="soon") == []
    for query, reason in (({"field": "M99"}, "There is no field “M99”."), ({"name": "a\0"}, "Null characters")):
        answer = client.get(reverse(LIST), query)
        assert reason in answer.content.decode()
        assert answer.context["page"].rows == []


def test_a_name_is_that_of_the_file_or_of_the_frame():
    ObservationFactory(observation_id="local-1", original_name="m31_0001.fits")
    assert shown(client_of("viewer"), name="m31_") == ["local-1"]
    assert shown(client_of("viewer"), name="local-") == ["local-1"]
    assert shown(client_of("viewer"), name="31") == []


@pytest.mark.parametrize("query", [{}, {"night_from": "2024-01-01"}, {"field": "far"}, {"name": "p"}])
def test_the_pages_of_the_list_together_are_the_list(query: dict[str, str]):
    field, day = FieldFactory(name="far"), dt.date(2024, 3, 1)
    made = [
        ObservationFactory(
            field=field, observation_id=f"p{k}", night=day + dt.timedelta(days=k % 3), observation_time=FIRST_EXPOSURE
        )
        for k in range(104)
    ]
    client, names = client_of("viewer"), []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(reverse(LIST), query | {"cursor": cursor}).context["page"]
        names += [row.observation_id for row in page.rows]
        cursor = page.next_cursor
    assert len(names) == 104
    assert set(names) == {row.observation_id for row in made}


def test_the_list_takes_as_many_queries_for_forty_as_for_two():
    client, counts = client_of("viewer"), []
    for number in (2, 38):
        ObservationFactory.create_batch(number, field=FieldFactory())
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse(LIST))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_frame_is_drawn_once_kept_and_told_to_be_unchanged():
    row = stored_frame()
    client, address = client_of("viewer"), reverse("observations:preview", args=[row.pk, "small"])
    answer = client.get(address)
    assert Image.open(io.BytesIO(answer.content)).size == (64, 48)
    # The raw file is not needed a second time.
    storage.remove(row.fits_file_path)
    assert client.get(address).content == answer.content
    assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert client.get(reverse("observations:preview", args=[row.pk, "huge"])).status_code == 404


def test_a_frame_whose_file_is_gone_has_a_page_and_no_picture():
    row = ObservationFactory(fits_file_path="raw/gone.fits")
    client = client_of("viewer")
    assert client.get(reverse("observations:preview", args=[row.pk, "large"])).status_code == 404
    page = client.get(reverse("observations:observation", args=[row.pk]))
    assert "No preview is available" in page.content.decode()
    header = client.get(reverse("observations:header", args=[row.pk]))
    assert "missing from the data root" in header.content.decode()


def test_a_part_of_a_page_is_a_page_where_it_is_opened_by_itself():
    row = ObservationFactory(original_name="light_0001.fits")
    client = client_of("operator")
    for name in ("observations:header", "preprocessing:runs_of", "differencing:runs_of"):
        address = reverse(name, args=[row.pk])
        alone, part = client.get(address), client.get(address, headers={"HX-Request": "true"})
        assert "<title>" in alone.content.decode(), name
        assert reverse("observations:observation", args=[row.pk]) in alone.content.decode(), name
        assert "<title>" not in part.content.decode(), name
        assert "HX-Request" in part["Vary"], name


def test_the_cards_are_those_of_the_raw_file_and_are_text():
    content = fits_bytes(np.ones((32, 32)), OBSERVER="x" * 60, EXPTIME=60.0)
    hostile = '<script>alert(1)</script>"><img onerror=x>\x1b\x00'.ljust(60)
    row = ObservationFactory(header={"OBSERVER": "of the row"})
    row.fits_file_path = storage.write_atomically("raw/h.fits", content.replace(b"x" * 60, hostile.encode()))
    row.save()
    address = reverse("observations:header", args=[row.pk])
    text = client_of("viewer").get(address, headers={"HX-Request": "true"}).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&gt;&lt;img onerror=x&gt;⟨U+001B⟩⟨U+0000⟩" in text
    assert "EXPTIME" in text
    assert "<script" not in text
    assert "of the row" not in text
    assert ">END<" not in text


def test_of_a_mosaic_both_headers_are_shown_and_of_endless_ones_the_beginning(monkeypatch: pytest.MonkeyPatch):
    hdus = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((32, 32), dtype="f4"))])
    hdus[0].header["OBSERVER"] = "of the primary"
    for number in range(50):
        hdus[1].header["HISTORY"] = f"step {number}"
    buffer = io.BytesIO()
    hdus.writeto(buffer)
    row = ObservationFactory(hdu_index=1, fits_file_path=storage.write_atomically("raw/m.fits", buffer.getvalue()))
    monkeypatch.setattr(previews, "_MOST_CARDS", 20)
    text = client_of("viewer").get(reverse("observations:header", args=[row.pk])).content.decode()
    assert text.index("HDU 1") < text.index("HDU 0") < text.index("of the primary")
    assert "step 1" in text
    assert "step 49" not in text
    assert "more cards." in text


@pytest.mark.parametrize("kind", ["plain", "gzip", "compressed"])
def test_a_frame_is_drawn_from_bands_as_from_the_whole(kind: str, monkeypatch: pytest.MonkeyPatch):
    pixels = np.random.default_rng(1).integers(0, 60000, (301, 240)).astype(np.uint16)
    hdu = fits.CompImageHDU(pixels) if kind == "compressed" else fits.PrimaryHDU(pixels)
    hdus = fits.HDUList([fits.PrimaryHDU(), hdu] if kind == "compressed" else [hdu])
    buffer = io.BytesIO()
    hdus.writeto(buffer)
    content = gzip.compress(buffer.getvalue()) if kind == "gzip" else buffer.getvalue()
    row = ObservationFactory(
        fits_file_path=storage.write_atomically("raw/b.fits", content), hdu_index=int(kind == "compressed")
    )
    monkeypatch.setattr(previews, "_BAND_PX", 1000)
    answer = client_of("viewer").get(reverse("observations:preview", args=[row.pk, "small"]))
    drawn = np.asarray(Image.open(io.BytesIO(answer.content)))
    np.testing.assert_array_equal(drawn, draw(shrink([pixels.astype("f4")], 2)))


def test_a_large_frame_is_never_whole_in_memory(monkeypatch: pytest.MonkeyPatch):
    row = stored_frame(np.zeros((2000, 500)))
    monkeypatch.setattr(previews, "_BAND_PX", 10_000)
    tracemalloc.start()
    client_of("viewer").get(reverse("observations:preview", args=[row.pk, "small"]))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The pixels alone are 4 MB.
    assert most < 3_000_000


def test_a_header_shows_as_text_and_what_is_missing_as_missing():
    row = ObservationFactory(
        original_name=HOSTILE,
        object_name=HOSTILE,
        camera="a\x1bb",
        facts={"band": {"source": HOSTILE, "written": HOSTILE, "note": HOSTILE}},
        error_message=HOSTILE,
        airmass=None,
        seeing=None,
    )
    DoubtFactory(observation=row, message=HOSTILE, keyword=HOSTILE, value=HOSTILE)
    client = client_of("viewer")
    for address in (reverse("observations:observation", args=[row.pk]), reverse(LIST)):
        text = client.get(address).content.decode()
        assert "&lt;script&gt;alert(1)" in text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "\x1b" not in text
        assert ">None<" not in text
    assert "U+001B" in client.get(reverse("observations:observation", args=[row.pk])).content.decode()


def test_an_operator_archives_a_frame_and_takes_it_back():
    row = ObservationFactory(status=ObservationStatus.DIFFERENCED)
    client = client_of("operator", username="olga")
    client.post(reverse("observations:archive", args=[row.pk]))
    assert Observation.objects.get().status == ObservationStatus.ARCHIVED
    page = client.get(reverse("observations:observation", args=[row.pk])).content.decode()
    assert "Restore" in page
    assert "Reprocess" not in page
    client.post(reverse("observations:take_back", args=[row.pk]))
    assert Observation.objects.get().status == ObservationStatus.DIFFERENCED
    assert set(AuditLog.objects.exclude(user="").values_list("user", flat=True)) == {"olga"}
    again = client.post(reverse("observations:take_back", args=[row.pk]), follow=True)
    assert "is not archived" in again.content.decode()
    client.post(reverse("observations:reprocess", args=[row.pk]))
    assert ProcessingJob.objects.get().job_type == "preprocess"


def test_an_operator_settles_a_doubt_with_a_reason_and_a_viewer_does_not():
    row = DoubtFactory(message="The clock is local.", blocks_publication=True)
    page, address = (
        reverse("observations:observation", args=[row.observation_id]),
        reverse("observations:settle_doubt", args=[row.observation_id, row.pk]),
    )
    viewer = client_of("viewer", username="vera")
    assert "holds alerts back" in viewer.get(page).content.decode()
    assert viewer.post(address, {"note": "no"}).status_code == 403
    operator = client_of("operator", username="olga")
    operator.post(address, {"note": "asked the observatory"})
    text = operator.get(page).content.decode()
    assert "settled by olga" in text and "asked the observatory" in text and "holds alerts back" not in text
    line = AuditLog.objects.get(action="settle_doubt")
    assert (line.user, line.new_values["settled_note"]) == ("olga", "asked the observatory")
    # What it held back is looked at again.
    assert ProcessingJob.objects.get().job_type == "examine"
    again = operator.post(address, {"note": "twice"}, follow=True)
    assert "is settled already, by olga" in again.content.decode()
    operator.post(address, {"reopen": "1"})
    assert "holds alerts back" in operator.get(page).content.decode()


def test_a_frame_that_was_never_examined_says_so():
    row = ObservationFactory(read_by_version=None)
    assert (
        "Not examined" in client_of("viewer").get(reverse("observations:observation", args=[row.pk])).content.decode()
    )


def test_what_was_measured_is_a_part_of_its_own():
    run = PreprocessRunFactory(fwhm_px=3.25, masked_share=0.02, zero_point_mag=None)
    address = reverse("preprocessing:runs_of", args=[run.observation_id])
    text = client_of("viewer").get(address, headers={"HX-Request": "true"}).content.decode()
    assert "3.25 px" in text
    assert "unknown: no zero point" in text
    assert "<html" not in text


def test_the_zero_point_says_catalogue_band_and_system_and_for_which_colour_it_holds():
    known = {
        "zero_point_mag": 25.0, "zero_point_error": 0.02, "zero_point_catalogue": "Gaia DR3", "zero_point_band": "G",
        "zero_point_system": "Vega", "zero_point_scatter": 0.031, "zero_point_stars": 42,
    }  # fmt: skip
    term = {
        "colour_term": 0.123, "colour_term_error": 0.011, "zero_point_colour": "BP-RP", "zero_point_colour_mag": 0.87,
    }  # fmt: skip
    for run, expected in (
        (
            PreprocessRunFactory(**known, **term),
            "0.123 ± 0.011 per magnitude of BP-RP; the zero point is for BP-RP = 0.87",
        ),
        (
            PreprocessRunFactory(**known, no_colour_term="the catalogue has no colours"),
            "none: the catalogue has no colours",
        ),
    ):
        text = client_of("viewer").get(reverse("preprocessing:runs_of", args=[run.observation_id])).content.decode()
        text = " ".join(text.split())
        assert "25.000 ± 0.020 mag (Gaia DR3 G, Vega), 42 stars that scatter by 0.031 mag" in text
        assert expected in text


def test_an_upload_becomes_a_row_and_a_job_of_who_sent_it():
    client = client_of("operator", username="olga")
    file = io.BytesIO(fits_bytes(np.ones((8, 8))))
    file.name = "m31.fits"
    answer = client.post(reverse("observations:upload"), {"files": file, "ra_deg": "0", "dec_deg": "-5.5"}, follow=True)
    assert "Uploaded" in answer.content.decode()
    row = IncomingFile.objects.get()
    # Zero hours is a position, and no missing value.
    assert row.overrides == {"ra_deg": 0.0, "dec_deg": -5.5}
    assert ProcessingJob.objects.get(job_type="receive").entity_id == str(row.pk)
    assert "m31.fits" in answer.content.decode()


def test_a_form_that_is_sent_twice_has_one_effect(empty_data_root):
    client, other = client_of("operator"), client_of("operator")
    form = client.get(reverse("observations:upload")).context["form"]

    def send(browser) -> None:
        file = io.BytesIO(fits_bytes(np.ones((8, 8))))
        file.name = "m31.fits"
        data = {"files": file, "fits_url": "https://example.org/a.fits", "key": form["key"].value()}
        browser.post(reverse("observations:upload"), data)

    for _ in range(2):
        send(client)
        assert sorted(IncomingFile.objects.values_list("name", flat=True)) == ["a.fits", "m31.fits"]
        assert sorted(ProcessingJob.objects.values_list("job_type", flat=True)) == ["download", "receive"]
        assert AuditLog.objects.filter(action="submit_file").count() == 2
    assert len([path for path in (empty_data_root / "incoming").rglob("*") if path.is_file()]) == 1
    # The key is a person's own.
    send(other)
    assert IncomingFile.objects.count() == 4


def test_what_is_handed_in_for_a_survey_belongs_to_it():
    survey = SurveyFactory(name="north")
    SurveyFactory(name="closed", is_active=False)
    client = client_of("operator")
    data = {"fits_url": "https://example.org/a.fits", "survey": str(survey.pk)}
    client.post(reverse("observations:upload"), data)
    assert IncomingFile.objects.get().survey == survey
    page = client.get(reverse("observations:upload")).content.decode()
    assert "north" in page
    assert "closed" not in page


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "Choose a file or give a URL."),
        ({"fits_url": "nonsense"}, "Enter a valid URL."),
        ({"fits_url": "ftp://example.org/a.fits"}, "http"),
        ({"fits_url": "https://example.org/a.fits", "ra_deg": "10"}, "A position needs both RA and Dec."),
        ({"fits_url": "https://example.org/a.fits", "ra_deg": "400", "dec_deg": "0"}, "less than or equal to 360"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_words_and_kept_in_the_form(data, reason):
    text = client_of("operator").post(reverse("observations:upload"), data).content.decode()
    assert reason in text
    assert data.get("fits_url", "") in text
    script = client_of("operator").post(reverse("observations:upload"), data, headers={"X-Requested-With": "fetch"})
    assert script.status_code == 422
    assert reason in " ".join(script.json()["refusals"])
    assert not IncomingFile.objects.exists()


def test_a_refused_file_says_why_and_one_on_its_way_asks_for_itself_anew():
    client = client_of("operator")
    client.post(reverse("observations:upload"), {"fits_url": "https://example.org/a.fits"})
    row = IncomingFile.objects.get()
    address = reverse("observations:delivery", args=[row.pk])
    assert "every 1s" in client.get(address).content.decode()
    ProcessingJob.objects.update(
        status=JobStatus.FAILED, failure_code="not_fits", error_message="This is a web page, not a FITS file."
    )
    text = client.get(address).content.decode()
    assert "This is a web page, not a FITS file." in text
    assert "every 1s" not in text
