"""One observation calibrated and measured: its product, its numbers, its reasons, and what a repeat does."""

from __future__ import annotations

import numpy as np
import pytest

from astrid_site.night.foreground import run_stage
from catalog.configuration.values import clear_value, set_value
from catalog.failures import FailureCode
from catalog.files import storage
from catalog.models import JobStatus, ProcessingJob, RunStatus
from catalog.people.audit import MACHINE
from observations.models import Observation, ObservationStatus
from preprocessing.models import CalibrationMaster, PreprocessRun
from preprocessing.products import load_frame
from preprocessing.stage import masters
from preprocessing.stage import preprocess as stage
from tests.keys import keys_named_in

newest_for = PreprocessRun.objects.newest_for


def preprocess(observation):
    """Run the stage as the pipeline does; return what the job came to."""
    run_stage("preprocess", "observation", [(observation.pk, "frame")], lambda line: None)
    observation.refresh_from_db()
    return ProcessingJob.objects.filter(entity_id=str(observation.pk)).latest("created_at")


def test_bias_dark_and_flat_are_applied_and_recorded_with_their_age(night):
    run = newest_for(night.good[0])
    assert run.calibration_applied
    used = {entry["kind"]: entry for entry in run.masters if "kind" in entry}
    assert {kind: entry["age_days"] for kind, entry in used.items()} == {"bias": 0, "dark": 0, "flat": 0}
    assert CalibrationMaster.objects.filter(pk__in=[entry["id"] for entry in used.values()]).count() == 3


def test_what_is_measured_is_what_was_simulated(night):
    for observation in night.good:
        run, truth = newest_for(observation), night.truth[observation.original_name]
        # The simulated width grows by a tenth towards the corners, and pixels widen it by some percent.
        assert 0.97 < run.fwhm_px / truth["fwhm_px"] < 1.16
        assert observation.seeing == pytest.approx(run.fwhm_px * observation.pixel_scale)
        # The camera: a sky of 810 to 1 170 electrons at 1.5 e-/ADU (x flat), read noise 9 e-.
        assert 450.0 < run.background_level < 850.0
        photon_noise = np.sqrt(run.background_level * 1.5 + 81.0) / 1.5
        assert run.background_noise == pytest.approx(photon_noise, rel=0.1)
        assert run.ellipticity < 0.15
        # Simulated stars have one shape, which varies smoothly: even where half of some fifty sources are galaxies and
        # a dozen stars are held out, no difference of such a frame is doubted for its PSF.
        assert 0 <= run.psf_core_residual < 0.05
        assert run.star_count > 20


def test_a_repeat_leaves_run_product_and_observation_as_they_are(night):
    observation = night.good[0]
    rows = PreprocessRun.objects.filter(observation=observation).values()
    before, product = list(rows), storage.resolve(newest_for(observation).processed_fits_path)
    inode = product.stat().st_ino
    assert preprocess(observation).status == JobStatus.COMPLETED
    assert list(rows.all()) == before
    assert product.stat().st_ino == inode
    assert observation.status == ObservationStatus.DIFFERENCED, "a repeat takes nobody back"


def test_a_product_that_is_gone_is_made_again_in_the_same_row(night):
    observation = night.good[0]
    run = newest_for(observation)
    data = load_frame(run).data
    storage.remove(run.processed_fits_path)
    preprocess(observation)
    assert newest_for(observation).pk == run.pk
    np.testing.assert_array_equal(load_frame(newest_for(observation)).data, data)


def test_another_threshold_is_another_run_and_the_old_one_stays(night):
    observation = night.good[0]
    before = newest_for(observation)
    set_value("preprocessing.star_threshold_sigma", 8.0, MACHINE)
    preprocess(observation)
    after = newest_for(observation)
    assert after.pk != before.pk
    assert after.config_hash != before.config_hash
    assert after.star_count < before.star_count
    assert storage.resolve(before.processed_fits_path).is_file()


def test_another_version_of_the_algorithms_is_another_run(night, monkeypatch):
    observation = night.good[0]
    before = newest_for(observation)
    monkeypatch.setattr("preprocessing.stage.preprocess.VERSION", "next")
    preprocess(observation)
    assert newest_for(observation).pk != before.pk


def test_a_setting_of_another_stage_leaves_the_frame_alone(night):
    observation = night.good[0]
    set_value("detection.confidence_threshold", 0.9, MACHINE)
    preprocess(observation)
    assert PreprocessRun.objects.filter(observation=observation).count() == 1


def test_preprocessing_names_the_keys_that_its_hash_covers_and_no_others():
    makes_masters = {"preprocessing.master_max_frames", "preprocessing.sky_flat_min_frames"}
    assert keys_named_in(stage, masters) == set(stage.READS) | makes_masters


def test_a_row_of_the_former_version_counts_as_done_and_is_taken_up_where_its_product_is_gone(night):
    observation = night.good[0]
    PreprocessRun.objects.filter(observation=observation).update(config_hash="over all keys")
    before = list(PreprocessRun.objects.filter(observation=observation).values())
    preprocess(observation)
    assert list(PreprocessRun.objects.filter(observation=observation).values()) == before
    storage.remove(newest_for(observation).processed_fits_path)
    preprocess(observation)
    run = PreprocessRun.objects.get(observation=observation)
    # The reference's identity rests on it.
    assert (run.pk, run.config_hash) == (before[0]["id"], "over all keys")
    assert storage.exists(run.processed_fits_path)


def test_a_threshold_that_is_set_back_brings_its_frame_back(night):
    observation = night.good[0]
    before = newest_for(observation)
    set_value("preprocessing.star_threshold_sigma", 8.0, MACHINE)
    preprocess(observation)
    clear_value("preprocessing.star_threshold_sigma", MACHINE)
    preprocess(observation)
    after = newest_for(observation)
    assert (after.pk, after.star_count) == (before.pk, before.star_count)


def test_the_clouded_frame_failed_with_its_numbers_and_a_sentence(night):
    observation = night.clouded
    run = PreprocessRun.objects.get(observation=observation)
    assert run.status == RunStatus.FAILED
    assert (observation.status, observation.failure_code) == (ObservationStatus.FAILED, run.failure_code)
    assert run.failure_code in {FailureCode.CLOUDED, FailureCode.TOO_FEW_STARS}
    assert observation.error_message == run.error_message
    assert run.background_level > 0
    assert run.star_count < 10
    assert str(run.star_count) in run.error_message
    assert run.completed_at is not None


def test_a_raw_file_that_is_gone_fails_with_what_to_do(night):
    observation = night.good[0]
    storage.remove(observation.fits_file_path)
    set_value("preprocessing.star_threshold_sigma", 8.0, MACHINE)
    job = preprocess(observation)
    assert (job.status, job.failure_code) == (JobStatus.FAILED, FailureCode.FILE_MISSING)
    assert observation.failure_code == FailureCode.FILE_MISSING
    assert "deliver it again" in observation.error_message
    assert not PreprocessRun.objects.filter(observation=observation, status=RunStatus.RUNNING).exists()


def test_a_raw_file_of_other_bytes_is_not_taken_for_the_ingested_one(night):
    observation, other = night.good[:2]
    path = storage.resolve(observation.fits_file_path)
    content = storage.resolve(other.fits_file_path).read_bytes()
    path.unlink()
    path.write_bytes(content)
    set_value("preprocessing.star_threshold_sigma", 8.0, MACHINE)
    job = preprocess(observation)
    assert job.failure_code == observation.failure_code == FailureCode.FILE_CHANGED


def test_a_gate_of_the_configuration_fails_a_frame_and_a_wider_one_takes_it_back(night):
    observation = night.good[0]
    set_value("preprocessing.min_stars", 10_000, MACHINE)
    assert preprocess(observation).failure_code == FailureCode.TOO_FEW_STARS
    assert observation.status == ObservationStatus.FAILED
    set_value("preprocessing.min_stars", 10, MACHINE)
    assert preprocess(observation).status == JobStatus.COMPLETED
    assert (observation.status, observation.failure_code) == (ObservationStatus.PREPROCESSED, "")
    assert Observation.objects.get(pk=observation.pk).error_message == ""
