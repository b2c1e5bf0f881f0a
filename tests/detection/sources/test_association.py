"""Detections become objects of the sky: joined over nights, kept apart within one frame, named by their position."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.configuration.values import set_value, snapshot
from catalog.people.audit import MACHINE
from detection.models import Detection, Source
from detection.sources.association import associate, designation, forget_empty_sources
from differencing.models import Candidate
from observations.models import WcsQuality
from tests import factories

pytestmark = pytest.mark.django_db

RA, DEC = 150.0, 22.0


@pytest.fixture
def field():
    return factories.FieldFactory()


def frame(field, day=0, **values):
    """Make an observation with seeing 3 px of 1.2 arcsec."""
    time = factories.FIRST_EXPOSURE + dt.timedelta(days=day)
    observation = factories.ObservationFactory(
        field=field, observation_time=time, night=time.date(), mjd_utc=factories.FIRST_MJD_UTC + day, **values
    )
    factories.PreprocessRunFactory(observation=observation, fwhm_px=3.0, completed_at=time)
    return observation


def detect(observation, east_arcsec=0.0, *, ra=RA, dec=DEC, snr=50.0, **values):
    """Make a detection that has no source yet."""
    run = factories.DifferenceRunFactory(observation=observation)
    place = {"ra": (ra + east_arcsec / 3600.0 / 0.92718385) % 360.0, "dec": dec}
    candidate = factories.CandidateFactory(difference_run=run, snr=snr, **place)
    return factories.DetectionFactory(candidate=candidate, source=None, **place, **values)


def join(observation, *detections):
    associate(list(detections), observation, snapshot())
    forget_empty_sources()
    return [Detection.objects.get(pk=d.pk).source for d in detections]


def test_the_same_place_on_another_night_is_the_same_source(field):
    first, second = frame(field), frame(field, day=7)
    (a,) = join(first, detect(first))
    (b,) = join(second, detect(second, 0.4))
    assert a == b
    source = Source.objects.get()
    assert source.detection_count == 2
    # Middle of a 60 s exposure.
    assert source.first_detected_at == first.observation_time + dt.timedelta(seconds=30)
    assert source.last_detected_at == second.observation_time + dt.timedelta(seconds=30)


def test_a_place_beyond_the_combined_error_is_another_source(field):
    first, second = frame(field), frame(field, day=7)
    (a,) = join(first, detect(first))
    # Two errors of 0.33 arcsec combine to 0.47; three sigma are 1.4.
    (b,) = join(second, detect(second, 2.5))
    assert a != b
    assert Source.objects.count() == 2


def test_a_faint_detection_is_joined_from_farther_than_a_bright_one(field):
    first, second = frame(field), frame(field, day=7)
    join(first, detect(first))
    faint, bright = detect(second, 1.8, snr=3.0), detect(second, -1.8, snr=50.0)
    joined, own = join(second, faint, bright)
    assert joined.detection_count == 2
    assert own.detection_count == 1


def test_two_detections_of_one_frame_are_never_one_source(field):
    first, second = frame(field), frame(field, day=7)
    join(first, detect(first))
    a, b = join(second, detect(second, 0.3, confidence_score=0.99), detect(second, 0.6, confidence_score=0.7))
    assert a != b
    assert a.detection_count == 2
    assert b.detection_count == 1


def test_of_two_sources_within_reach_the_nearer_is_taken(field):
    first, second = frame(field), frame(field, day=7)
    west, east = join(first, detect(first, 0.0), detect(first, 1.6))
    (joined,) = join(second, detect(second, 1.2))
    assert joined == east != west


def test_a_detection_keeps_its_source_when_it_is_found_again(field):
    observation = frame(field)
    detection = detect(observation)
    (a,) = join(observation, detection)
    detection.refresh_from_db()
    (b,) = join(observation, detection)
    assert a == b
    assert Source.objects.get().detection_count == 1


def test_the_position_is_the_mean_weighted_by_the_errors(field):
    nights = [frame(field, day) for day in range(3)]
    for observation, east, snr in zip(nights, (0.0, 0.0, 0.9), (100.0, 100.0, 4.0), strict=True):
        join(observation, detect(observation, east, snr=snr))
    moved = (Source.objects.get().ra - RA) * 3600.0 * 0.92718385
    assert 0.0 < moved < 0.05, "an unweighted mean is at 0.3"


def with_errors(field, day, *, centroid_px, wcs_px):
    """Make a frame of 1.2 arcsec a pixel whose WCS and whose detection have these errors."""
    observation = frame(field, day)
    observation.preprocess_runs.update(wcs_info={"error_px": wcs_px})
    detection = detect(observation)
    Candidate.objects.filter(pk=detection.candidate_id).update(position_error_px=centroid_px)
    return observation, Detection.objects.get(pk=detection.pk)


def test_the_error_of_a_position_is_that_of_its_centroid_and_of_the_wcs_and_nothing_else(field):
    join(*with_errors(field, 0, centroid_px=0.3, wcs_px=0.4))
    assert Source.objects.get().position_error_arcsec == pytest.approx(1.2 * 0.5)


def test_noise_averages_out_over_epochs_and_the_error_of_the_wcs_does_not(field):
    for day in range(4):
        join(*with_errors(field, day, centroid_px=0.3, wcs_px=0.1))
    error = Source.objects.get().position_error_arcsec
    assert error == pytest.approx(1.2 * (0.15**2 + 0.1**2) ** 0.5)


def test_positions_within_the_floor_are_one_source_however_small_their_errors(field):
    set_value("detection.association_floor_arcsec", 0.6, MACHINE)
    first, detected = with_errors(field, 0, centroid_px=0.01, wcs_px=0.0)
    (a,) = join(first, detected)
    second = frame(field, day=1)
    # Twice an error of 0.2 combine to 0.28; three sigma are 0.85.
    (b,) = join(second, detect(second, 0.8, snr=1e4))
    third = frame(field, day=2)
    (c,) = join(third, detect(third, -2.0, snr=1e4))
    assert a == b != c


def test_a_detection_of_an_earlier_version_has_the_error_of_a_gaussian_psf(field):
    observation = frame(field)
    join(observation, detect(observation, snr=10.0))
    # 0.6 FWHM over the S/N, 3 px of 1.2 arcsec.
    assert Source.objects.get().position_error_arcsec == pytest.approx(0.6 * 3.6 / 10.0, rel=0.01)


def test_a_source_on_ra_zero_is_joined_and_averaged_across_it(field):
    first, second = frame(field), frame(field, day=7)
    (a,) = join(first, detect(first, -0.3, ra=0.0))
    (b,) = join(second, detect(second, 0.3, ra=0.0))
    assert a == b
    source = Source.objects.get()
    assert min(source.ra, 360.0 - source.ra) * 3600.0 < 0.05
    assert Source.objects.cone(0.0, DEC, 0.5).count() == 1, "its index has moved with it"


def test_nominal_positions_are_joined_only_within_their_own_field(field):
    here, again = (frame(field, day, wcs_quality=WcsQuality.NOMINAL) for day in (0, 7))
    elsewhere = frame(factories.FieldFactory(), day=8, wcs_quality=WcsQuality.NOMINAL)
    (a,) = join(here, detect(here))
    (b,) = join(again, detect(again, 0.2))
    (c,) = join(elsewhere, detect(elsewhere, 0.2))
    assert a == b != c
    assert a.wcs_quality == WcsQuality.NOMINAL


def test_a_nominal_position_never_meets_one_that_is_known(field):
    known = frame(field)
    (a,) = join(known, detect(known))
    nominal = frame(field, day=7, wcs_quality=WcsQuality.NOMINAL)
    (b,) = join(nominal, detect(nominal))
    later = frame(field, day=8)
    (c,) = join(later, detect(later))
    assert a == c != b


def test_a_nominal_position_is_no_name(field):
    known, nominal = frame(field), frame(field, day=7, wcs_quality=WcsQuality.NOMINAL)
    (a,), (b,) = join(known, detect(known)), join(nominal, detect(nominal))
    assert a.name == "J100000.00+220000.0"
    assert b.name == ""


def test_a_source_without_detections_is_forgotten_and_others_are_not(field):
    observation = frame(field)
    (kept,) = join(observation, detect(observation))
    factories.SourceFactory()
    forget_empty_sources()
    assert list(Source.objects.all()) == [kept]


@pytest.mark.parametrize(
    ("ra", "dec", "name"),
    [
        (62.53666667 + 1e-7, 22.83958333 + 1e-7, "J041008.80+225022.5"),
        # 23h 59m 59.999s and 59.99 arcsec are cut: rounding would give 24h and 60 arcsec.
        (359.99999583, 59.9999972, "J235959.99+595959.9"),
        (0.0, 0.0, "J000000.00+000000.0"),
        # Truncated towards zero: the sign stays, the digits do not grow.
        (10.0, -0.00001, "J004000.00-000000.0"),
        (187.70593, -12.39112, "J123049.42-122328.0"),
    ],
)
def test_a_designation_is_cut_and_not_rounded(ra, dec, name):
    assert designation(ra, dec) == name


def test_a_frame_of_many_detections_is_joined_in_no_more_statements_than_one_of_few(field):
    counts = []
    for day, few_or_many in ((0, 3), (7, 30)):
        observation = frame(field, day)
        found = [detect(observation, dec=DEC + 0.01 * k) for k in range(few_or_many)]
        with CaptureQueriesContext(connection) as statements:
            associate(found, observation, snapshot())
        counts.append(len(statements))
    assert Source.objects.count() == 30
    assert Source.objects.filter(detection_count=2).count() == 3
    # The second frame has sources to join, and their members and runs to look up; the first one has not.
    assert counts[1] <= counts[0] + 6
