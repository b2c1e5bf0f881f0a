"""The table of the stages holds together: each orders the next, and lights that waited are taken up again."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from uuid import uuid4

import pytest
from django.conf import settings

from astrid_site.night.stages import STAGES
from catalog.configuration.values import set_value
from catalog.failures import FailureCode
from catalog.models import JobStatus, ProcessingJob, RunStatus
from catalog.people.audit import MACHINE
from catalog.work import jobs
from catalog.work.stages import OF_COMMANDS
from differencing.ids import field_night
from tests import factories

pytestmark = pytest.mark.django_db


def done(job_type: str, entity_type: str, entity_id: object, workflow_id: str = "w") -> ProcessingJob:
    """Finish such a job; return it."""
    job = jobs.claim(jobs.enqueue(job_type, entity_type, entity_id, workflow_id=workflow_id, priority=3), "me")
    assert job is not None
    jobs.finish(job)
    return job


def ordered(job_type: str) -> set[str]:
    waiting = ProcessingJob.objects.filter(job_type=job_type, status=JobStatus.PENDING)
    return set(waiting.values_list("entity_id", flat=True))


def test_an_order_that_follows_is_of_the_same_workflow_and_urgency():
    observation = factories.ObservationFactory(status="preprocessed", field=factories.FieldFactory())
    done("preprocess", "observation", observation.pk)
    job = ProcessingJob.objects.get(job_type="register")
    assert (job.entity_id, job.workflow_id, job.priority) == (str(observation.field_id), "w", 3)


def test_nothing_follows_for_a_frame_that_failed_or_was_archived():
    for status, code in (("failed", "clouded"), ("archived", "")):
        sentence = "Cloud." if code else ""
        observation = factories.ObservationFactory(
            status=status, failure_code=code, error_message=sentence, field=factories.FieldFactory()
        )
        done("preprocess", "observation", observation.pk)
        done("difference", "observation", observation.pk)
    assert ordered("register") == ordered("detect") == set()


def test_a_registered_field_compares_the_frames_of_the_workflow_and_those_that_waited():
    field = factories.FieldFactory()
    mine = factories.ObservationFactory(field=field, status="preprocessed")
    waiting = factories.ObservationFactory(
        field=field, status="preprocessed", failure_code=FailureCode.WAITING_FOR_REFERENCE, error_message="Waits."
    )
    factories.ObservationFactory(field=field, status="differenced")
    factories.ObservationFactory(field=factories.FieldFactory(ra=10.0), status="preprocessed")
    done("preprocess", "observation", mine.pk)
    done("register", "field", field.pk)
    assert ordered("difference") == {str(mine.pk), str(waiting.pk)}


def test_a_differenced_frame_is_scored_and_a_scored_one_is_linked_and_its_sources_are_considered():
    detection = factories.DetectionFactory(status="validated", is_validated=True)
    observation = detection.observation
    observation.status, observation.field = "differenced", factories.FieldFactory()
    observation.wcs_quality = "solved"
    observation.save()
    done("difference", "observation", observation.pk)
    assert ordered("detect") == {str(observation.pk)}
    done("detect", "observation", observation.pk)
    assert ordered("tracklets") == {f"{observation.field_id}/{observation.night.isoformat()}"}
    assert ordered("alerts") == {str(detection.source_id)}


def test_known_places_are_measured_after_a_night_is_linked_and_before_anything_is_told():
    key = f"{factories.FieldFactory().pk}/2024-03-01"
    done("tracklets", "field_night", key)
    assert ordered("forced") == {key}
    jobs.enqueue("alerts", "source", factories.SourceFactory().pk, workflow_id="w")
    assert [job.job_type for job in jobs.ready(["alerts", "forced"])] == ["forced"]
    jobs.enqueue("detect", "observation", factories.ObservationFactory().pk, workflow_id="w")
    assert [job.job_type for job in jobs.ready(["alerts", "forced"])] == []


def test_nothing_is_left_to_measure_in_a_field_without_differences_or_one_that_is_gone():
    for field_id in (factories.FieldFactory().pk, uuid4()):
        done("forced", "field_night", f"{field_id}/2024-03-01")
    assert ordered("forced_backlog") == set()


def test_frames_are_shifted_and_added_after_their_tracklets_only_where_it_is_wanted():
    key = field_night(factories.FieldFactory().pk, factories.FIRST_EXPOSURE.date())
    done("tracklets", "field_night", key)
    assert ordered("shift_and_stack") == set()
    set_value("differencing.shift_and_stack", True, MACHINE)
    done("tracklets", "field_night", key)
    assert ordered("shift_and_stack") == {key}


def test_what_frames_show_when_they_are_added_is_measured_in_each():
    key = field_night(factories.FieldFactory().pk, factories.FIRST_EXPOSURE.date())
    done("shift_and_stack", "field_night", key)
    assert ordered("forced") == {key}


def lacking(master_of: dict[str, object], **light: object) -> bool:
    """Tell whether a light without any master is ordered again when such a master is made."""
    camera = {"camera": "C1", "binning": "1x1", "image_width": 100, "image_height": 80}
    observation = factories.ObservationFactory(**{**camera, "status": "differenced", **light})
    factories.PreprocessRunFactory(observation=observation, status=RunStatus.COMPLETED, masters=[{"missing": ["bias"]}])
    master = factories.CalibrationMasterFactory(**{**camera, "kind": "bias", "night": observation.night, **master_of})
    done("masters", "night", master.night.isoformat())
    return str(observation.pk) in ordered("preprocess")


def test_a_light_that_had_to_do_without_a_master_is_taken_up_when_one_is_made():
    assert lacking({})
    assert lacking({"kind": "sky_flat", "filter_band": "R"}, filter_band="R")


def test_a_master_of_another_camera_band_or_month_takes_no_light_up():
    assert not lacking({"camera": "C2"})
    assert not lacking({"kind": "flat", "filter_band": "V"}, filter_band="R")
    assert not lacking({"night": factories.FIRST_EXPOSURE.date() + dt.timedelta(days=31)})
    assert not lacking({}, status="archived")


def test_a_light_that_had_its_master_is_left_alone():
    observation = factories.ObservationFactory(status="differenced", camera="C1")
    factories.PreprocessRunFactory(observation=observation, status=RunStatus.COMPLETED, masters=[{"kind": "bias"}])
    factories.CalibrationMasterFactory(kind="bias", camera="C1", night=observation.night)
    done("masters", "night", observation.night.isoformat())
    assert ordered("preprocess") == set()


def test_from_what_is_in_no_row_nothing_follows():
    done("deliver", "workflow", "w")
    assert not ProcessingJob.objects.exclude(job_type="deliver").exists()


def test_every_name_in_the_table_is_that_of_something():
    for stage in STAGES:
        assert callable(stage.runner()), stage.name
        assert stage.queue in settings.QUEUES, stage.name
        assert bool(stage.abandon) == callable(stage.abandoner()), stage.name


def test_what_a_stage_could_leave_open_is_closed_by_name():
    """A module that can close rows and is not asked to would leave a run at work for ever."""
    for stage in STAGES:
        assert hasattr(import_module(stage.module), "abandon") == bool(stage.abandon), stage.name


def test_a_stage_waits_only_for_types_that_are_done_before_it():
    names = [*OF_COMMANDS, *(stage.name for stage in STAGES)]
    assert len(set(names)) == len(names)
    for stage in STAGES:
        assert set(stage.waits_for) <= set(names[: names.index(stage.name)]), stage.name
