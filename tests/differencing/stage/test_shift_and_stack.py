"""What no frame of a night shows is a tracklet of its own kind, where that is wanted; a repeat replaces it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from astropy.wcs import WCS
from scipy import ndimage

from catalog.configuration.values import set_value
from catalog.files import storage
from catalog.people.audit import MACHINE
from differencing.ids import field_night
from differencing.models import Candidate, Tracklet
from differencing.stage import shift_and_stack
from observations.models import Observation
from observations.numerics.fits.products import encode_image
from tests import factories

pytestmark = pytest.mark.django_db

NIGHT = dt.date(2024, 3, 1)
FWHM = 3.0
SIZE = 170
SCALE = 1.2
FRAMES = 8
EAST, NORTH = 0.30, -0.20  # arcsec/min
# Each frame points elsewhere, and the telescope was turned about for the last one.
DITHER = [(0.0, 0.0), (6.3, -4.1), (-5.2, 3.3), (2.4, 7.7), (-7.1, -6.0), (3.9, 1.2), (-1.5, 4.4), (5.5, -2.8)]


def sky(dither, angle_deg):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [150.0, 2.0]
    wcs.wcs.crpix = [SIZE / 2 + dither[0], SIZE / 2 + dither[1]]
    a = np.radians(angle_deg)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    wcs.wcs.cd = np.diag([-SCALE, SCALE]) @ turn / 3600.0
    return wcs


def place(minutes):
    """Return where the asteroid is."""
    return 150.0 + EAST * minutes / 3600.0 / np.cos(np.radians(2.0)), 2.0 + NORTH * minutes / 3600.0


@pytest.fixture
def field(settings, tmp_path):
    """A night of eight frames, 15 minutes apart, with an asteroid of S/N 3 in each."""
    settings.ASTRID_DATA_ROOT = tmp_path
    return make_night()


def make_night(snr=3.4):
    rng = np.random.default_rng(21)
    field = factories.FieldFactory()
    v, u = np.indices((SIZE, SIZE))
    for k in range(FRAMES):
        minutes = 15.0 * k - 52.5
        wcs = sky(DITHER[k], 180.0 if k == FRAMES - 1 else 0.0)
        image = ndimage.gaussian_filter(rng.normal(size=(SIZE + 40, SIZE + 40)), FWHM / 2.3548)[20:-20, 20:-20]
        image /= image.std()
        x, y = wcs.all_world2pix(*place(minutes), 0)
        image += snr * np.exp(-((u - x) ** 2 + (v - y) ** 2) / (4.0 * (FWHM / 2.3548) ** 2))
        image[:, 20] = np.nan
        frame = factories.ObservationFactory(
            field=field, night=NIGHT, mjd_utc=60370.9 + minutes / 1440.0, image_width=SIZE, image_height=SIZE,
            status="differenced", original_name=f"light{k}.fits",
        )  # fmt: skip
        factories.PreprocessRunFactory(observation=frame, fwhm_px=FWHM)
        path = storage.write_atomically(f"differences/{k}/score.fits", encode_image(image.astype(np.float32), wcs=wcs))
        factories.DifferenceRunFactory(observation=frame, noise_level=10.0, significance_map_path=path)
    return field


def stacked(field, *, is_wanted=True):
    set_value("differencing.shift_and_stack", is_wanted, MACHINE)
    shift_and_stack.run(field_night(field.pk, NIGHT))
    return list(Tracklet.objects.all())


def test_what_no_frame_shows_is_a_tracklet_with_its_place_in_every_frame(field):
    (found,) = stacked(field)
    assert found.kind == "stacked" and not found.is_doubtful and found.members.count() == 0
    assert found.rate_arcsec_per_min == pytest.approx(np.hypot(EAST, NORTH), abs=0.03)
    assert found.position_angle == pytest.approx(np.degrees(np.arctan2(EAST, NORTH)) % 360.0, abs=5.0)
    assert found.stack_score > 6.0 and found.chance_rate < 0.05
    assert [entry["file"] for entry in found.positions] == [f"light{k}.fits" for k in range(FRAMES)]
    for k, entry in enumerate(found.positions):
        ra, dec = place(15.0 * k - 52.5)
        # A centroid of S/N 9 in all, at the ends of its motion, to 3 sigma.
        assert (entry["ra"], entry["dec"]) == pytest.approx((ra, dec), abs=2.0 / 3600.0)
        x, y = sky(DITHER[k], 180.0 if k == FRAMES - 1 else 0.0).all_world2pix(ra, dec, 0)
        assert (entry["pixel_x"], entry["pixel_y"]) == pytest.approx((float(x), float(y)), abs=2.0)


def test_it_is_off_unless_it_is_wanted_and_then_takes_away_what_it_had_found(field):
    shift_and_stack.run(field_night(field.pk, NIGHT))
    assert not Tracklet.objects.exists()
    assert len(stacked(field)) == 1
    linked = factories.TrackletFactory(field=field, night=NIGHT)
    (again,) = [each for each in stacked(field) if each != linked]
    assert again.kind == "stacked"
    assert stacked(field, is_wanted=False) == [linked]


def test_a_moving_object_that_is_known_is_not_found_a_second_time(field):
    tracklet = factories.TrackletFactory(field=field, night=NIGHT)
    for frame in Observation.objects.filter(field=field).order_by("mjd_utc"):
        k = int(frame.original_name[5])
        x, y = sky(DITHER[k], 180.0 if k == FRAMES - 1 else 0.0).all_world2pix(*place(15.0 * k - 52.5), 0)
        run = frame.difference_runs.get()
        tracklet.members.add(factories.CandidateFactory(difference_run=run, pixel_x=float(x), pixel_y=float(y)))
    assert stacked(field) == [tracklet]
    tracklet.is_doubtful = True
    tracklet.save()
    assert len(stacked(field)) == 2
    assert Candidate.objects.count() == FRAMES


def test_five_frames_are_too_few(field):
    Observation.objects.filter(original_name__in=["light0.fits", "light1.fits", "light2.fits"]).update(
        status="preprocessed"
    )
    assert stacked(field) == []


def test_the_direction_is_unknown_where_the_frames_are_not_solved(field):
    Observation.objects.update(wcs_quality="nominal")
    (found,) = stacked(field)
    assert found.position_angle is None
