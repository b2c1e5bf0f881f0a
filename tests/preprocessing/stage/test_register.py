"""All frames of a field share one anchor's sky positions, and the night shows which of them are bad."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from astrid_site.night.foreground import run_stage
from catalog.configuration.values import set_value
from catalog.files import storage
from catalog.models import JobStatus, ProcessingJob, RunStatus
from catalog.people.audit import MACHINE
from observations.models import ObservationStatus
from observations.numerics.fits.images import encode_frame
from preprocessing.models import PreprocessRun
from preprocessing.products import load_frame

newest_for = PreprocessRun.objects.newest_for
newest_by_time = PreprocessRun.objects.newest_by_time

# 0.3 px: stars of S/N 5 and more are centred to 0.1 px each, and a frame has fifty.
SHARED_PX = 0.3


def register(night):
    run_stage("register", "field", [(night.field.pk, "field")], lambda line: None)
    return ProcessingJob.objects.filter(job_type="register").latest("created_at")


def test_one_source_has_one_position_in_every_frame_though_the_headers_disagree(night):
    for kind in ("transient", "variable"):
        for k in range(len(night.sources(night.good[0], kind))):
            places = []
            for observation in night.good:
                source, frame = (
                    night.sources(observation, kind)[k],
                    load_frame(newest_for(observation)),
                )
                places.append(frame.wcs.all_pix2world(source["x"], source["y"], 0))
            ra, dec = np.array(places).T * 3600.0 / 1.2
            # The headers are off by 2 arcsec in a direction of their own, which is up to 3.3 px from frame to frame.
            assert np.ptp(ra) * np.cos(np.radians(22.2)) < SHARED_PX
            assert np.ptp(dec) < SHARED_PX


def test_every_frame_is_registered_to_the_anchor_of_the_field_over_nights(night):
    runs = newest_by_time([*night.earlier, *night.good])
    assert len(runs) == 6
    assert all(run.wcs_aligned for run in runs)
    assert {run.wcs_info["anchor"] for run in runs} == {str(night.field.anchor_id)}
    assert all(0.8 < run.registration_quality <= 1.0 for run in runs)
    assert all(run.wcs_info["rms_px"] < SHARED_PX for run in runs)


def test_the_error_of_a_position_is_less_than_the_scatter_of_the_stars_and_none_in_an_anchor_that_is_not_solved(night):
    for run in newest_by_time([*night.earlier, *night.good]):
        if run.observation_id == night.field.anchor_id:
            assert run.wcs_error_px < 0.001
        else:
            # Most of the stars' scatter is the noise of their centroids.
            assert 0.0 < run.wcs_info["error_px"] < run.wcs_info["rms_px"] / 2
            assert run.wcs_error_px == pytest.approx(run.wcs_info["error_px"], abs=0.001)


def test_the_transparency_is_the_share_of_the_clearest_frame(night):
    runs = newest_by_time([*night.earlier, *night.good])
    truth = np.array([night.truth[run.observation.original_name]["transparency"] for run in runs])
    measured = np.array([run.transparency for run in runs])
    assert measured.max() == pytest.approx(1.0)
    # Fluxes of twenty and more stars give the ratio to some percent.
    np.testing.assert_allclose(measured, truth / truth.max(), atol=0.05)


def test_a_repeat_changes_neither_rows_nor_products(night):
    def state():
        rows = list(PreprocessRun.objects.order_by("pk").values())
        paths = [storage.resolve(row["processed_fits_path"]) for row in rows if row["processed_fits_path"]]
        return rows, [path.stat().st_ino for path in paths]

    before = state()
    assert register(night).status == JobStatus.COMPLETED
    assert state() == before


def test_the_footprint_is_that_of_the_shared_positions(night):
    for observation in night.good:
        wcs = load_frame(newest_for(observation)).wcs
        ra, dec = wcs.all_pix2world([-0.5, 319.5, 319.5, -0.5], [-0.5, -0.5, 319.5, 319.5], 0)
        np.testing.assert_allclose(observation.footprint, np.column_stack([ra, dec]), atol=1e-9)


def test_a_frame_whose_stars_scatter_too_much_is_not_registered_and_says_why(night):
    set_value("preprocessing.max_anchor_rms_px", 0.05, MACHINE)
    for run in newest_by_time([*night.earlier, *night.good]):
        PreprocessRun.objects.filter(pk=run.pk).update(wcs_info={}, wcs_aligned=False)
    register(night)
    left = [run for run in newest_by_time([*night.earlier, *night.good]) if not run.wcs_aligned]
    assert left
    assert all("scatter" in run.wcs_info["reason"] for run in left)


def test_a_frame_that_the_others_show_to_be_shallow_fails_and_they_do_not(night):
    bad = newest_for(night.good[1])
    # Two magnitudes and a half are a factor of ten in noise.
    PreprocessRun.objects.filter(pk=bad.pk).update(background_noise=20.0 * bad.background_noise)
    register(night)
    bad.refresh_from_db()
    observation = bad.observation
    observation.refresh_from_db()
    assert bad.status == RunStatus.FAILED
    assert observation.status == ObservationStatus.FAILED
    assert observation.failure_code == bad.failure_code != ""
    assert len(observation.error_message) > 20
    assert len(newest_by_time(night.good)) == 2


def test_a_frame_trailed_among_good_ones_fails_and_has_its_position(night):
    bad = newest_for(night.good[1])
    PreprocessRun.objects.filter(pk=bad.pk).update(ellipticity=0.8, wcs_info={}, wcs_aligned=False)
    register(night)
    bad.refresh_from_db()
    bad.observation.refresh_from_db()
    assert bad.observation.failure_code == bad.failure_code == "trailed"
    assert "ellipticity 0.80" in bad.observation.error_message and "other frames" in bad.observation.error_message
    assert bad.wcs_aligned and bad.wcs_info["anchor"] == str(night.field.anchor_id)
    assert len(newest_by_time(night.good)) == 2


def test_a_whole_night_of_lines_does_not_fail_though_another_night_has_points(night):
    PreprocessRun.objects.filter(observation__in=night.good).update(ellipticity=0.8)
    register(night)
    assert len(newest_by_time(night.good)) == 3


def test_a_frame_of_lines_without_a_psf_fails_when_it_has_its_position(night):
    run = newest_for(night.good[1])
    frame = load_frame(run)
    storage.write_atomically(run.processed_fits_path, encode_frame(replace(frame, psf=None)))
    PreprocessRun.objects.filter(pk=run.pk).update(wcs_info={}, wcs_aligned=False)
    register(night)
    run.refresh_from_db()
    assert run.failure_code == "trailed" and "placed on the sky" in run.error_message
    assert run.wcs_aligned


def test_a_field_without_good_frames_is_left_alone(night):
    reason = {"failure_code": "clouded", "error_message": "Clouds."}
    PreprocessRun.objects.update(status=RunStatus.FAILED, **reason)
    assert register(night).status == JobStatus.COMPLETED
