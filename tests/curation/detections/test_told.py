"""The light curve that clients have in one answer."""

from __future__ import annotations

import pytest

from tests.clients import client_of
from tests.factories import (
    CandidateFactory,
    DetectionFactory,
    DifferenceRunFactory,
    ForcedPhotometryFactory,
    ObservationFactory,
    PreprocessRunFactory,
    ReferenceFactory,
    SourceFactory,
)

pytestmark = pytest.mark.django_db
MJD = 60200.0


@pytest.fixture
def source():
    """A source that was detected once, measured once before below the limit, and could not be measured once after."""
    source = SourceFactory(name="SN 2026a")
    frames = [ObservationFactory(mjd_utc=MJD + day, filter_band="R") for day in range(3)]
    candidate = CandidateFactory(difference_run__observation=frames[1], flux=1000.0, flux_error=50.0)
    DetectionFactory(candidate=candidate, observation=frames[1], source=source)
    PreprocessRunFactory(
        observation=frames[1], status="completed", zero_point_mag=25.0, zero_point_error=0.0, zero_point_system="AB"
    )
    reference = ReferenceFactory()
    runs = [DifferenceRunFactory(observation=frames[k], reference=reference) for k in (0, 2)]
    ForcedPhotometryFactory(
        source=source, difference_run=runs[0], flux=20.0, flux_error=50.0, limiting_flux=250.0, zero_point_mag=25.0,
        zero_point_system="AB",
    )  # fmt: skip
    ForcedPhotometryFactory(
        source=source, difference_run=runs[1], flux=None, flux_error=None, limiting_flux=None, reason="masked"
    )
    return source


def test_one_answer_holds_detections_limits_and_what_could_not_be_measured(source):
    answer = client_of("viewer").get(f"/api/v1/sources/{source.pk}/light-curve/")
    curve = answer.json()
    before, seen, after = curve["epochs"]
    assert (curve["source"], curve["designation"], curve["is_complete"]) == (str(source.pk), "SN 2026a", True)
    assert [one["mjd_utc"] for one in curve["epochs"]] == [MJD, MJD + 1, MJD + 2]
    assert [one["is_forced"] for one in curve["epochs"]] == [True, False, True]
    # 1000 ADU at 25 mag: 17.5 mag; 3631 Jy x 10^-7 = 363.1 uJy.
    assert (seen["mag"], seen["flux_njy"], seen["snr"]) == (17.5, pytest.approx(363.1e3), 20.0)
    assert seen["mid_time"].endswith("Z") and seen["detection"]
    # 250 ADU: 25 - 2.5 log 250.
    assert (before["mag"], before["limiting_mag"]) == (None, pytest.approx(19.005, abs=1e-3))
    assert (after["flux_adu"], after["trouble"]) == (None, "too many pixels are masked there")


def test_of_a_long_light_curve_the_latest_epochs_are_given_and_it_says_so(source):
    curve = client_of("viewer").get(f"/api/v1/sources/{source.pk}/light-curve/", {"last": 2}).json()
    assert ([one["mjd_utc"] for one in curve["epochs"]], curve["is_complete"]) == ([MJD + 1, MJD + 2], False)


@pytest.mark.parametrize("last", ["0", "x", "100001", "1.5"])
def test_a_number_of_epochs_that_is_none_is_refused(source, last):
    answer = client_of("viewer").get(f"/api/v1/sources/{source.pk}/light-curve/", {"last": last})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
