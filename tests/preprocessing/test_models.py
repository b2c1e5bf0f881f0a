from __future__ import annotations

import math

import pytest
from django.db import IntegrityError

from tests.factories import CalibrationMasterFactory, PreprocessRunFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "waiting"),
        ("registration_quality", 1.001),
        ("registration_quality", math.nan),
        ("masked_share", -0.1),
        ("ellipticity", 1.1),
        ("fwhm_px", 0.0),
        ("fwhm_px", math.nan),
        ("psf_core_residual", -0.01),
        ("zero_point_mag", math.inf),
        ("zero_point_scatter", -0.1),
        ("colour_term", math.nan),
        ("colour_term_error", -0.1),
        ("zero_point_colour_mag", math.inf),
        ("background_noise", -1.0),
        ("limiting_magnitude", math.nan),
        ("processing_time_seconds", -1.0),
        ("retry_count", -1),
    ],
)
def test_the_database_refuses_an_impossible_run(name: str, value: object) -> None:
    with pytest.raises(IntegrityError, match=name):
        PreprocessRunFactory(**{name: value})


def test_the_same_inputs_and_configuration_make_one_run() -> None:
    run = PreprocessRunFactory()
    with pytest.raises(IntegrityError, match="preprocessrun_once"):
        PreprocessRunFactory(observation=run.observation, inputs_hash=run.inputs_hash)


def test_the_same_frames_make_one_master_of_a_kind() -> None:
    master = CalibrationMasterFactory()
    with pytest.raises(IntegrityError, match="calibrationmaster_once"):
        CalibrationMasterFactory(inputs_hash=master.inputs_hash)


def test_a_master_has_a_frame() -> None:
    with pytest.raises(IntegrityError, match="frame_count"):
        CalibrationMasterFactory(frame_count=0)


def test_a_run_of_an_earlier_version_counts_the_scatter_of_its_stars_as_the_error_of_positions() -> None:
    assert PreprocessRunFactory.build().wcs_error_px == 0.0
    former = PreprocessRunFactory.build(wcs_info={"rms_px": 0.2, "fit_rms_px": 0.1})
    assert former.wcs_error_px == pytest.approx(math.hypot(0.2, 0.1) / math.sqrt(2.0))
    assert PreprocessRunFactory.build(wcs_info={"rms_px": 0.2, "error_px": 0.03}).wcs_error_px == 0.03
