from __future__ import annotations

import math

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from catalog.hiding import hidden_from
from catalog.models import User
from observations.models import Observation, Survey
from tests.factories import CalibrationFrameFactory, FieldFactory, ObservationFactory, SurveyFactory, TelescopeFactory

pytestmark = pytest.mark.django_db

OUT_OF_BOUNDS: list[tuple[str, list[object]]] = [
    ("ra", [-0.001, 360.0, math.nan]),
    ("exposure_time", [0.0, -1.0, math.nan, math.inf]),
    ("pixel_scale", [0.0, math.nan]),
    ("airmass", [0.0, -1.0, math.nan, math.inf]),
    ("seeing", [0.0, -2.0, math.nan]),
    ("mjd_utc", [math.nan, math.inf, -math.inf]),
    ("gain_e_per_adu", [0.0, math.nan]),
    ("read_noise_e", [-1.0, math.nan]),
    ("saturation_level", [0.0, math.nan]),
    ("ccd_temperature_c", [math.nan]),
    ("image_width", [0]),
    ("status", ["lost"]),
    ("wcs_quality", ["perfect"]),
    ("saturation_unit", ["photons", ""]),
]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in OUT_OF_BOUNDS for value in values])
def test_the_database_refuses_an_impossible_observation(name: str, value: object) -> None:
    observation = ObservationFactory()
    values = {name: value, "healpix": observation.healpix} if name == "ra" else {name: value}
    with pytest.raises(IntegrityError, match="observations_observation"), transaction.atomic():
        Observation.objects.filter(pk=observation.pk).update(**values)


@pytest.mark.parametrize("dec", [-90.001, 90.001, math.nan])
def test_the_database_refuses_a_declination_beyond_a_pole(dec: float) -> None:
    observation = ObservationFactory()
    with pytest.raises(IntegrityError, match="dec_range"), transaction.atomic():
        Observation.objects.filter(pk=observation.pk).update(dec=dec, healpix=1)


@pytest.mark.parametrize(("ra", "dec"), [(0.0, -90.0), (359.999999999, 90.0), (0.0, 0.0)])
def test_the_borders_of_the_sky_are_positions(ra: float, dec: float) -> None:
    ObservationFactory(ra=ra, dec=dec)


def test_unknown_values_are_null_and_allowed() -> None:
    unknown = dict.fromkeys(("airmass", "seeing", "gain_e_per_adu", "saturation_level", "pixel_scale"))
    ObservationFactory(**unknown, saturation_unit="")


def test_the_same_bytes_are_one_observation() -> None:
    first = ObservationFactory()
    with pytest.raises(IntegrityError, match="sha256"):
        ObservationFactory(sha256=first.sha256, survey=SurveyFactory(name="other"))


def test_a_name_is_unique_within_its_survey_only() -> None:
    ObservationFactory(observation_id="a")
    ObservationFactory(observation_id="a", survey=SurveyFactory(name="other"))
    with pytest.raises(IntegrityError, match="once_per_survey"):
        ObservationFactory(observation_id="a")


def test_a_failed_observation_has_a_code_and_a_sentence() -> None:
    with pytest.raises(IntegrityError, match="status_reason"), transaction.atomic():
        ObservationFactory(status="failed", failure_code="clouded")
    ObservationFactory(status="failed", failure_code="clouded", error_message="Too little light arrived.")


def test_a_bias_has_no_exposure_and_no_frame_a_negative_one() -> None:
    CalibrationFrameFactory(exposure_time=0.0)
    with pytest.raises(IntegrityError, match="exposure_time"):
        CalibrationFrameFactory(exposure_time=-1.0)


@pytest.mark.parametrize("longitude", [-180.1, 180.1, math.nan])
def test_a_longitude_lies_within_half_a_turn(longitude: float) -> None:
    with pytest.raises(IntegrityError, match="longitude_deg"):
        TelescopeFactory(longitude_deg=longitude)


def test_a_field_has_a_radius() -> None:
    with pytest.raises(IntegrityError, match="radius_deg"):
        FieldFactory(radius_deg=0.0)


def test_a_team_that_a_survey_names_is_not_deleted_and_the_survey_stays_closed() -> None:
    survey, team, other = SurveyFactory(), Group.objects.create(name="deep"), Group.objects.create(name="idle")
    survey.groups.add(team)
    account = User.objects.create(username="outside")
    for delete in (team.delete, Group.objects.filter(name="deep").delete, Group.objects.all().delete):
        with pytest.raises(ProtectedError):
            delete()
    assert hidden_from(account) == {survey.pk}
    other.delete()
    survey.groups.remove(team)
    team.delete()
    survey.groups.add(Group.objects.create(name="deep again"))
    survey.delete()
    assert not Survey.objects.filter(pk=survey.pk).exists()
