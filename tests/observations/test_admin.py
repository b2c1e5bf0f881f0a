from __future__ import annotations

import time

import pytest
from astropy import units
from astropy.coordinates import SkyCoord

from catalog.models import ProcessingJob
from observations.admin import parse_position, sexagesimal
from observations.models import Observation
from tests.admin_clients import client_of, page, said
from tests.factories import ObservationFactory

FRAMES = page("observations.observation")


def found(answer) -> set[str]:
    return {row.observation_id for row in answer.context["cl"].result_list}


@pytest.mark.parametrize(
    ("ra", "dec"), [(150.0104166, 2.0100002), (0.0, -0.0001), (359.99, -89.999), (83.6331, 22.0145)]
)
def test_a_position_is_written_as_astropy_writes_it(ra: float, dec: float):
    place = SkyCoord(ra, dec, unit="deg")
    hours = place.ra.to_string(unit=units.hourangle, sep=" ", precision=2, pad=True)
    degrees = place.dec.to_string(sep=" ", precision=1, pad=True, alwayssign=True)
    assert sexagesimal(ra, dec) == f"{hours} {degrees}"


def test_seconds_that_round_to_sixty_are_carried_over():
    assert sexagesimal(15.0 - 1e-6, 60.0 - 1e-6) == "01 00 00.00 +60 00 00.0"
    assert sexagesimal(360.0 - 1e-7, 0.0) == "00 00 00.00 +00 00 00.0"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("150.5 -2.25", (150.5, -2.25, 10.0)),
        ("150.5, -2.25, 30", (150.5, -2.25, 30.0)),
        ("10:02:00 -02:15:00", (150.5, -2.25, 10.0)),
        ("10 02 00 -02 15 00 5", (150.5, -2.25, 5.0)),
        ("10h02m00s -00d15m00s", (150.5, -0.25, 10.0)),
        ("400 10", None),
        ("10 95", None),
        ("m31 light", None),
        ("12", None),
        ("", None),
    ],
)
def test_a_position_is_told_from_other_words(text: str, place: tuple[float, float, float] | None):
    assert parse_position(text) == (None if place is None else pytest.approx(place))


def test_a_long_number_that_is_no_position_takes_no_time():
    start = time.perf_counter()
    assert parse_position("1" * 5000 + "x") is None
    assert time.perf_counter() - start < 0.1  # A pattern that tries every way to split it would take years.


@pytest.mark.django_db
def test_frames_are_found_by_position_file_digest_and_key():
    here = ObservationFactory(observation_id="west", original_name="m31.fits", ra=150.0, dec=2.0)
    ObservationFactory(observation_id="east", original_name="m33.fits", ra=150.0, dec=2.1)
    client = client_of("viewer")
    for words in ("150 2 60", "10:00:00 +02:00:00", "m31", here.sha256[:12], str(here.pk), "west"):
        assert found(client.get(FRAMES, {"q": words})) == {"west"}, words
    assert found(client.get(FRAMES, {"q": "150 2.05 300"})) == {"west", "east"}


@pytest.mark.django_db
def test_frames_are_narrowed_by_status_reason_night_and_band():
    ObservationFactory(observation_id="good", filter_band="R")
    reason = {"failure_code": "clouded", "error_message": "Too little light."}
    bad = ObservationFactory(observation_id="bad", filter_band="g", status="failed", night="2024-03-05", **reason)
    client = client_of("viewer")
    narrowed = [
        {"status__exact": "failed"},
        {"failure_code__exact": "clouded"},
        {"filter_band__iexact": "G"},
        {"night_from": "2024-03-02", "night_to": "2024-03-09"},
        {"survey__id__exact": str(bad.survey_id), "status__exact": "failed"},
    ]
    assert [found(client.get(FRAMES, values)) for values in narrowed] == [{"bad"}] * len(narrowed)
    everything = {"status__exact": "", "filter_band__iexact": "", "night_from": "", "night_to": ""}
    assert found(client.get(FRAMES, everything)) == {"good", "bad"}


@pytest.mark.django_db
def test_a_frame_links_to_all_that_was_made_of_it():
    frame = ObservationFactory()
    text = client_of("viewer").get(page("observations.observation", "change", frame.pk)).content.decode()
    for model in ("preprocessing.preprocessrun", "differencing.candidate", "detection.detection"):
        assert f"{page(model)}?observation__id__exact={frame.pk}" in text
    assert f"{page('catalog.processingjob')}?entity_type=observation&amp;entity_id={frame.pk}" in text


@pytest.mark.django_db
def test_an_operator_reprocesses_archives_and_takes_back():
    operator = client_of("operator")
    first, second = ObservationFactory(), ObservationFactory(status="archived")
    both = [first.pk, second.pk]
    answer = operator.post(FRAMES, {"action": "reprocess_frames", "_selected_action": both})
    assert said(answer) == ["Frames that go through again: 1.", f"{second} is archived: take it back first."]
    assert [job.entity_id for job in ProcessingJob.objects.all()] == [str(first.pk)]
    ProcessingJob.objects.all().delete()
    operator.post(FRAMES, {"action": "archive_frames", "_selected_action": [first.pk]})
    assert Observation.objects.filter(status="archived").count() == 2
    operator.post(FRAMES, {"action": "take_frames_back", "_selected_action": both})
    assert set(Observation.objects.values_list("status", flat=True)) == {"ingested"}


@pytest.mark.django_db
def test_a_viewer_is_offered_no_order_and_gives_none():
    viewer, frame = client_of("viewer"), ObservationFactory()
    viewer.post(FRAMES, {"action": "archive_frames", "_selected_action": [frame.pk]})
    url = f"/admin/observations/observation/{frame.pk}/archive_frame/"
    assert viewer.post(url, {"_form_submitted": "on"}).status_code == 403
    assert "archive_frame" not in viewer.get(page("observations.observation", "change", frame.pk)).content.decode()
    assert Observation.objects.get().status == "ingested"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "offered"), [("ingested", {"reprocess_frame", "archive_frame"}), ("archived", {"take_frame_back"})]
)
def test_a_frame_offers_what_its_status_allows(status: str, offered: set[str]):
    frame = ObservationFactory(status=status)
    text = client_of("operator").get(page("observations.observation", "change", frame.pk)).content.decode()
    every = ("reprocess_frame", "archive_frame", "take_frame_back")
    assert {name for name in every if f"/{frame.pk}/{name}/" in text} == offered
