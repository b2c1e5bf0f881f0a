from __future__ import annotations

import pytest

from catalog.models import ProcessingJob
from observations.models import Observation
from tests.browsers import onlooker, page, said, staff_of
from tests.factories import ObservationFactory

FRAMES = page("observations.observation")


def found(answer) -> set[str]:
    return {row.observation_id for row in answer.context["cl"].result_list}


@pytest.mark.django_db
def test_frames_are_found_by_position_file_digest_and_key():
    here = ObservationFactory(observation_id="west", original_name="m31.fits", ra=150.0, dec=2.0)
    ObservationFactory(observation_id="east", original_name="m33.fits", ra=150.0, dec=2.1)
    client = staff_of("operator")
    for words in ("150 2 60", "10:00:00 +02:00:00", "m31", here.sha256[:12], str(here.pk), "west"):
        assert found(client.get(FRAMES, {"q": words})) == {"west"}, words
    assert found(client.get(FRAMES, {"q": "150 2.05 300"})) == {"west", "east"}


@pytest.mark.django_db
def test_frames_are_narrowed_by_status_reason_night_and_band():
    ObservationFactory(observation_id="good", filter_band="R")
    reason = {"failure_code": "clouded", "error_message": "Too little light."}
    bad = ObservationFactory(observation_id="bad", filter_band="g", status="failed", night="2024-03-05", **reason)
    client = staff_of("operator")
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
    text = staff_of("operator").get(page("observations.observation", "change", frame.pk)).content.decode()
    for model in ("preprocessing.preprocessrun", "differencing.candidate", "detection.detection"):
        assert f"{page(model)}?observation__id__exact={frame.pk}" in text
    assert f"{page('catalog.processingjob')}?entity_type=observation&amp;entity_id={frame.pk}" in text


@pytest.mark.django_db
def test_an_operator_reprocesses_archives_and_takes_back():
    operator = staff_of("operator")
    first, second = ObservationFactory(), ObservationFactory(status="archived")
    both = [first.pk, second.pk]
    answer = operator.post(FRAMES, {"action": "reprocess_frames", "_selected_action": both})
    assert said(answer) == ["Frames queued for reprocessing: 1.", f"{second} is archived: restore it first."]
    assert [job.entity_id for job in ProcessingJob.objects.all()] == [str(first.pk)]
    ProcessingJob.objects.all().delete()
    operator.post(FRAMES, {"action": "archive_frames", "_selected_action": [first.pk]})
    assert Observation.objects.filter(status="archived").count() == 2
    operator.post(FRAMES, {"action": "take_frames_back", "_selected_action": both})
    assert set(Observation.objects.values_list("status", flat=True)) == {"ingested"}


@pytest.mark.django_db
def test_a_viewer_is_offered_no_order_and_gives_none():
    viewer, frame = onlooker(), ObservationFactory()
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
    text = staff_of("operator").get(page("observations.observation", "change", frame.pk)).content.decode()
    every = ("reprocess_frame", "archive_frame", "take_frame_back")
    assert {name for name in every if f"/{frame.pk}/{name}/" in text} == offered
