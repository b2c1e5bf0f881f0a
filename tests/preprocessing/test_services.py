"""Which run of an observation counts, and its product in memory."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.models import RunStatus
from preprocessing.models import PreprocessRun
from preprocessing.products import load_frame
from tests import factories

newest_for = PreprocessRun.objects.newest_for
newest_by_time = PreprocessRun.objects.newest_by_time

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2024, 3, 2, 12, tzinfo=dt.UTC)


def run_of(observation, hours, **values):
    return factories.PreprocessRunFactory(
        observation=observation, completed_at=NOON + dt.timedelta(hours=hours), **values
    )


def test_the_run_that_was_completed_last_counts_whenever_it_was_made():
    observation = factories.ObservationFactory()
    newest = run_of(observation, 2)
    run_of(observation, 1)
    assert newest_for(observation) == newest
    assert newest_by_time([observation]) == [newest]


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.RUNNING, RunStatus.PENDING])
def test_a_run_that_is_not_completed_does_not_count(status):
    observation = factories.ObservationFactory()
    reason = {"failure_code": "clouded", "error_message": "Clouds."} if status == RunStatus.FAILED else {}
    run_of(observation, 1, status=status, **reason)
    assert newest_for(observation) is None
    assert newest_by_time([observation]) == []


def test_each_observation_has_one_run_in_order_of_time_of_observation():
    late, early = factories.ObservationFactory(mjd_utc=60001.0), factories.ObservationFactory(mjd_utc=60000.0)
    runs = [run_of(late, 1), run_of(late, 3), run_of(early, 2)]
    assert newest_by_time([late, early]) == [runs[2], runs[1]]


def test_a_product_comes_back_with_its_psf_stars_mask_and_sky_positions(night):
    run = newest_for(night.good[0])
    frame = load_frame(run)
    assert frame.shape == (320, 320)
    assert frame.psf(160.0, 160.0).sum() == pytest.approx(1.0, abs=1e-6)
    assert len(frame.stars) == run.star_count
    assert frame.stars.fwhm_px == run.fwhm_px
    assert frame.mask.mean() == pytest.approx(run.masked_share, abs=1e-3)
    ra, dec = frame.wcs.all_pix2world(159.5, 159.5, 0)
    # The dither is 8 px of 1.2 arcsec and the header is wrong by 2 arcsec.
    assert np.hypot(ra - run.observation.ra, dec - run.observation.dec) * 3600 < 15.0


def test_a_product_that_is_gone_is_said_to_be_missing_with_what_to_do(night):
    run = newest_for(night.good[0])
    storage.remove(run.processed_fits_path)
    with pytest.raises(StageFailure, match="preprocess it again") as caught:
        load_frame(run)
    assert caught.value.code == FailureCode.FILE_MISSING


@pytest.mark.filterwarnings("ignore:File may have been truncated")  # astropy says it, and the reader says more
def test_a_product_that_was_cut_short_is_not_read_as_a_frame(night):
    run = newest_for(night.good[0])
    path = storage.resolve(run.processed_fits_path)
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(StageFailure) as caught:
        load_frame(run)
    assert caught.value.code == FailureCode.FILE_MISSING
