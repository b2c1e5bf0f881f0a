"""Lists of detections and of sources: what they show, and what narrows them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from curation.detections.filters import DetectionListFilter
from detection.models import Detection, Source
from tests.browsers import staff_of
from tests.clients import client_of as api_client_of
from tests.factories import (
    FIRST_EXPOSURE,
    CandidateFactory,
    DetectionFactory,
    FieldFactory,
    ObservationFactory,
    PreprocessRunFactory,
    SourceFactory,
)

pytestmark = pytest.mark.django_db
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>\x1b[31m\u202e'


@pytest.fixture
def client() -> Client:
    return staff_of("viewer")


def shown(client: Client, address: str) -> list[Any]:
    """Return the rows that a list shows, having made sure that it took the filter."""
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer.context["form"].errors == {}
    return answer.context["page"].rows


def walked(client: Client, address: str) -> list[Any]:
    """Return the rows of all pages of a list."""
    rows: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(f"{address}&cursor={cursor}").context["page"]
        rows += page.rows
        cursor = page.next_cursor
    return rows


def in_frame(days: float = 0.0, *, observation: dict[str, Any] | None = None, **more: Any) -> Detection:
    """Return a detection in a frame of its own, so many days after the first."""
    when = FIRST_EXPOSURE + dt.timedelta(days=days)
    frame = ObservationFactory(observation_time=when, night=when.date(), **(observation or {}))
    place = {name: more.pop(name) for name in ("ra", "dec") if name in more}
    return DetectionFactory(candidate=CandidateFactory(difference_run__observation=frame, **place), **more)


# --- Detections ---


def test_the_newest_detection_is_first_and_the_best_where_that_is_asked_for(client: Client):
    first, second = DetectionFactory(confidence_score=0.99), DetectionFactory(confidence_score=0.6)
    assert shown(client, "/detections/") == [second, first]
    assert shown(client, "/detections/?order=score") == [first, second]


def test_what_has_a_label_can_be_left_out(client: Client):
    DetectionFactory(human_label="ghost")
    other, bare = DetectionFactory(human_label="agn"), DetectionFactory()
    assert shown(client, "/detections/?without_label=Ghost") == [bare, other]


def test_each_filter_keeps_what_it_says(client: Client):
    field = FieldFactory(name="M 31")
    wanted = in_frame(
        2.0, observation={"field": field}, ra=10.0, dec=41.0, status="validated", confidence_score=0.95,
        detection_type="variable", human_label="agn",
    )  # fmt: skip
    other = in_frame(0.0, confidence_score=0.55, source=SourceFactory(name="J1000+0200", ra=150.01, dec=2.01))
    for query in (
        "status=validated", "score_min=0.9", "detection_type=variable", "label=AGN", "night_from=2024-03-02",
        "field=m+31", "label=AGN&without_label=x", "place=10.0001+41.0", "place=00:40:00+%2B41:00:00+5", "place=M+31",
    ):  # fmt: skip
        if query == "place=M+31":
            type(field).objects.filter(pk=field.pk).update(ra=10.0, dec=41.0, healpix=wanted.healpix)
        assert shown(client, f"/detections/?{query}") == [wanted], query
    for query in ("score_max=0.6", "night_to=2024-03-01", "place=J1000%2B0200", "place=150.01+%E2%88%922.01"):
        expected = [] if "%E2%88%92" in query else [other]
        assert shown(client, f"/detections/?{query}") == expected, query
    assert shown(client, "/detections/?origin=imported") == []
    assert shown(client, "/detections/?status=validated&score_max=0.6") == []


def test_a_label_is_found_as_people_write_it(client: Client):
    row = DetectionFactory(human_label="real_in_reference_only")
    assert shown(client, "/detections/?label=Real+in+reference+only") == [row]
    assert "real in reference only" in client.get("/detections/").content.decode()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("place=nowhere", "full name of a source or field"),
        ("place=400+10", "full name of a source or field"),
        ("place=%00", "Null characters are not allowed"),
        ("score_min=2", "less than or equal to 1"),
        ("field=Andromeda", "There is no field “Andromeda”"),
        ("night_from=yesterday", "Enter a valid date"),
        ("status=lost", "is not one of the available choices"),
        ("order=magnitude", "is not one of the available choices"),
    ],
)
def test_what_cannot_be_read_is_told_and_narrows_to_nothing(client: Client, query: str, sentence: str):
    DetectionFactory()
    answer = client.get(f"/detections/?{query}")
    assert sentence in answer.content.decode()
    assert answer.context["page"].rows == []


def test_what_was_typed_is_kept_beside_the_reason(client: Client):
    assert 'value="nowhere"' in client.get("/detections/?place=nowhere").content.decode()


@pytest.mark.parametrize("query", ["", "order=score", "night_from=2024-01-01", "field=far", "place=150.01+2.01+100"])
def test_the_pages_of_a_list_together_are_the_list(client: Client, query: str):
    field = FieldFactory(name="far")
    frames = [ObservationFactory(field=field) for _ in range(3)]
    made = [
        DetectionFactory(
            candidate=CandidateFactory(difference_run__observation=frames[k % 3]), confidence_score=0.5 + 0.01 * (k % 7)
        )
        for k in range(104)
    ]
    rows = walked(client, f"/detections/?{query}")
    assert len(rows) == 104
    assert {row.pk for row in rows} == {row.pk for row in made}


def test_narrowed_by_night_the_newest_frame_comes_first_whenever_it_was_processed(client: Client):
    late = in_frame(3.0)
    early = in_frame(1.0)
    assert shown(client, "/detections/") == [early, late]
    assert shown(client, "/detections/?night_from=2024-01-01") == [late, early]


def test_a_list_asks_as_much_for_two_rows_as_for_twenty(client: Client, django_assert_num_queries: Any):
    rows = [in_frame(k, observation={"field": FieldFactory()}, cutouts_path="c.npy") for k in range(20)]
    with django_assert_num_queries(13):
        assert len(shown(client, "/detections/")) == 20
    for row in rows[2:]:
        row.delete()
    with django_assert_num_queries(13):
        assert len(shown(client, "/detections/")) == 2


def test_a_magnitude_is_shown_where_the_zero_point_is_known_and_a_dash_where_not(client: Client):
    known, unknown = in_frame(1.0), in_frame(2.0)
    PreprocessRunFactory(observation=known.observation, zero_point_mag=25.0, zero_point_error=0.02)
    rows = {row.pk: row.brightness.mag for row in shown(client, "/detections/")}
    assert rows[known.pk] == pytest.approx(17.5)
    assert rows[unknown.pk] is None
    assert "17.50 ± 0.06" in client.get("/detections/").content.decode()


def test_text_from_headers_is_text_and_what_cannot_be_seen_is_made_visible(client: Client):
    frame = ObservationFactory(field=FieldFactory(name=HOSTILE), original_name=HOSTILE)
    DetectionFactory(candidate=CandidateFactory(difference_run__observation=frame))
    html = client.get("/detections/").content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert "⟨U+202E⟩" in html


def test_empty_lists_say_what_to_do(client: Client):
    assert "There are no detections yet." in client.get("/detections/").content.decode()
    assert "No detections match these filters." in client.get("/detections/?status=pending").content.decode()
    assert "There are no sources yet." in client.get("/sources/").content.decode()
    assert "No sources match these filters." in client.get("/sources/?detections_min=2").content.decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ""),
        ({"order": "score", "page": "2"}, ""),
        ({"status": "pending", "score_min": "0.9", "score_max": ""}, "status=pending&score_min=0.9"),
        ({"night_from": "2024-03-01", "night_to": "2024-03-02"}, "night_from=2024-03-01&night_to=2024-03-02"),
        ({"place": "10 20", "order": "score"}, "place=10+20"),
        ({"label": "asteroid", "detection_type": "variable"}, "label=asteroid&detection_type=variable"),
        ({"status": "archived"}, None),
    ],
)
def test_triage_is_offered_for_what_it_can_be_narrowed_to(query: dict[str, str], expected: str | None):
    assert DetectionListFilter.triage_query(query) == expected


def test_a_state_that_triage_has_no_queue_for_is_told(client: Client):
    DetectionFactory(status="archived")
    html = staff_of("curator").get("/detections/?status=archived").content.decode()
    assert "Triage has no queue of archived detections." in html
    assert "Review these" not in html


def test_the_list_says_how_many_there_are_and_leads_to_each_in_words(client: Client):
    rows = [in_frame(k, confidence_score=0.5 + k / 10.0) for k in range(3)]
    html = client.get("/detections/?score_min=0.55").content.decode()
    assert "2 detections" in html
    assert f'<a href="/detections/{rows[2].pk}/">0.700</a>' in html


def test_what_only_an_address_narrows_by_is_shown_in_the_form(client: Client):
    row = DetectionFactory()
    DetectionFactory()
    assert shown(client, f"/detections/?observation={row.observation_id}") == [row]
    html = client.get(f"/detections/?observation={row.observation_id}").content.decode()
    assert f'name="observation" value="{row.observation_id}"' in html
    assert ">Status in</label>" in client.get("/detections/?status__in=pending").content.decode()
    answer = client.get("/detections/?source=5")
    assert "Enter a valid UUID." in answer.content.decode()
    assert answer.context["page"].rows == []


@pytest.mark.parametrize(
    "query", ["place=10.0001+41.0", "field=m+31", "night_from=2024-03-02", "label=AGN", "score_min=0.9", "band=V"]
)
def test_clients_and_triage_narrow_by_what_the_page_offers(query: str, empty_data_root: Any):
    frame = {"field": FieldFactory(name="M 31"), "filter_band": "V"}
    wanted = in_frame(2.0, observation=frame, ra=10.0, dec=41.0, human_label="agn", confidence_score=0.95)
    in_frame(0.0, confidence_score=0.55)
    rows = api_client_of("viewer").get(f"/api/v1/detections/?{query}").json()["results"]
    assert [row["id"] for row in rows] == [str(wanted.pk)]
    page = staff_of("curator").get(f"/triage/?{query}")
    assert page.context["form"].errors == {}
    assert page.context["remaining"] == 1


@pytest.mark.parametrize(
    ("query", "status"),
    [("place=nowhere", 404), ("field=Andromeda", 404), ("night_from=yesterday", 400), ("score_min=2", 400)],
)
def test_what_a_page_tells_beside_its_field_is_refused_to_clients(query: str, status: int):
    answer = api_client_of("viewer").get(f"/api/v1/detections/?{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (status, [query.partition("=")[0]])


def test_only_who_judges_is_offered_the_review():
    DetectionFactory()
    assert "Review these" in staff_of("curator").get("/detections/").content.decode()
    assert "Review these" not in staff_of("viewer").get("/detections/").content.decode()


# --- Sources ---


def source(name: str, days: float = 0.0, **more: Any) -> Source:
    return SourceFactory(name=name, last_detected_at=timezone.now() - dt.timedelta(days=days), **more)


def test_the_source_that_was_seen_last_is_first_with_the_state_of_its_newest_detection(client: Client):
    old, new = source("old", 5.0), source("new", 1.0)
    DetectionFactory(source=new, status="rejected", confidence_score=0.6)
    newest = DetectionFactory(source=new, status="validated", human_label="agn")
    DetectionFactory(source=old)
    rows = shown(client, "/sources/")
    assert rows == [new, old]
    assert rows[0].newest == newest
    assert "validated" in client.get("/sources/").content.decode()


def test_sources_are_narrowed_by_place_field_count_and_time(client: Client):
    FieldFactory(name="here", ra=10.0, dec=20.0, radius_deg=0.1)
    wanted = source("wanted", 1.0, ra=10.05, dec=20.0, detection_count=7)
    source("other", 400.0, ra=100.0, dec=-20.0, detection_count=1)
    day = (timezone.now() - dt.timedelta(days=30)).date()
    for query in ("place=10.05+20+5", "place=wanted", "field=here", "detections_min=2", f"detected_after={day}"):
        assert shown(client, f"/sources/?{query}") == [wanted], query
    assert shown(client, "/sources/?place=10.05+20.01+5") == []


def test_the_list_of_sources_asks_as_much_for_two_rows_as_for_twenty(client: Client, django_assert_num_queries: Any):
    for k in range(20):
        DetectionFactory(source=source(f"s{k}", k))
    with django_assert_num_queries(6):
        assert len(shown(client, "/sources/")) == 20
    Detection.objects.exclude(source__name__in=("s0", "s1")).delete()
    Source.objects.exclude(name__in=("s0", "s1")).delete()
    with django_assert_num_queries(6):
        assert len(shown(client, "/sources/")) == 2
