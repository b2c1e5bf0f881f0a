"""Places by all bodies' attraction: against another integrator where the extra is there, and what is said else."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from detection.numerics.ephemerides import nbody
from detection.numerics.ephemerides.nbody import EphemeridesAbsent, Moment, apparent, are_installed, site_of_code
from detection.numerics.ephemerides.observer import LIGHT_AU_PER_DAY, from_centre_au, on_earth
from detection.numerics.ephemerides.orbits import Orbits
from observations.numerics.barycentre import Place
from observations.numerics.sphere import separation_deg
from tests.orbits import EPOCH_MJD, drawn

needs_extra = pytest.mark.skipif(not are_installed(), reason="the ephemerides are not installed (make ephemerides)")
SITE = Place(28.76, -17.88, 2326.0)
FAR_SITE = Place(-30.24, -70.74, 2700.0)


def apart_arcsec(one, other):
    return 3600.0 * np.array(
        [separation_deg(one.ra[k], one.dec[k], other.ra[k], other.dec[k]) for k in range(len(one.ra))], dtype=float
    )


def test_without_the_extra_it_says_so_and_is_no_error_of_another_kind(monkeypatch):
    monkeypatch.setattr(nbody, "assist", None)
    assert not nbody.are_installed()
    with pytest.raises(EphemeridesAbsent):
        apparent(drawn(1, seed=1), [Moment(EPOCH_MJD)])


def test_without_their_files_the_libraries_alone_are_not_enough(monkeypatch):
    monkeypatch.setattr(nbody, "find_spec", lambda _name: None)
    assert not nbody.are_installed()
    assert site_of_code("950") is None


def test_the_line_of_sight_is_to_where_the_light_left():
    position, velocity = np.array([[3.0, 0.0, 0.0]]), np.array([[0.0, 0.01, 0.0]])
    line = nbody._line_of_sight(position, velocity, np.zeros((1, 3)), np.array([1.0, 0.0, 0.0]), 0.0)
    delay = np.linalg.norm(line) / LIGHT_AU_PER_DAY
    assert delay == pytest.approx(2.0 / LIGHT_AU_PER_DAY, rel=1e-7)
    assert line[0] == pytest.approx([2.0, -0.01 * delay, 0.0], abs=1e-14)


def test_motion_is_counted_from_north_by_east_on_any_side_of_the_sky():
    line = np.array([[-1.0, -1.0, 0.5]])
    length = np.linalg.norm(line)
    east = np.array([[1.0, -1.0, 0.0]]) / np.sqrt(2.0)
    turn, angle = nbody._motion(line, line + east * length * np.radians(1.0 / 3600.0))
    assert turn * 3600.0 == pytest.approx(1.0) and angle == pytest.approx(90.0, abs=1e-3)


@needs_extra
@pytest.mark.parametrize("days", [-180.0, 190.0])
def test_places_are_those_of_an_integrator_of_another_making(days):
    other = pytest.importorskip("benchmarks.ephemerides")
    pytest.importorskip("jplephem", reason="jplephem is not installed (make ephemerides)")
    for name, orbits in other.populations(12, seed=7):
        (ours,) = apparent(orbits, [Moment(EPOCH_MJD + days, on_earth(SITE))])
        with closing(other.Kernel()) as kernel:
            ra, dec = other.integrate(kernel, orbits, EPOCH_MJD + days)
        east = ((ours.ra - ra + 180.0) % 360.0 - 180.0) * np.cos(np.radians(dec))
        # A hundredth of what is asked for: the thousand orbits of the benchmark stay within a thousandth.
        assert 3600.0 * np.max(np.hypot(east, ours.dec - dec)) < 0.01, name


@needs_extra
def test_a_site_sees_what_is_near_elsewhere_by_the_parallax_of_its_place():
    orbits = drawn(5, seed=2)
    here, there, centre = (
        apparent(orbits, [Moment(EPOCH_MJD + 20.3, site)])[0] for site in (on_earth(SITE), on_earth(FAR_SITE), None)
    )
    for one, place in ((here, SITE), (there, FAR_SITE)):
        shift = from_centre_au(on_earth(place), EPOCH_MJD + 20.3)
        ra, dec = np.radians(centre.ra), np.radians(centre.dec)
        towards = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)
        across = np.linalg.norm(np.cross(towards, shift), axis=1) / centre.to_earth_au
        assert apart_arcsec(one, centre) == pytest.approx(3600.0 * np.degrees(across), rel=1e-3)


@needs_extra
def test_the_rate_and_its_direction_lead_to_the_place_an_hour_later():
    orbits = drawn(6, seed=3)
    before, after = apparent(orbits, [Moment(EPOCH_MJD + 5.0), Moment(EPOCH_MJD + 5.0 + 1.0 / 24.0)])
    north = 3600.0 * (after.dec - before.dec)
    east = 3600.0 * ((after.ra - before.ra + 180.0) % 360.0 - 180.0) * np.cos(np.radians(before.dec))
    assert before.rate_arcsec_per_min * 60.0 == pytest.approx(np.hypot(east, north), rel=1e-2)
    turned = (np.degrees(np.arctan2(east, north)) - before.position_angle_deg + 180.0) % 360.0 - 180.0
    assert np.max(np.abs(turned)) < 1.0


@needs_extra
def test_moments_before_and_after_the_epochs_are_each_their_own_and_groups_do_not_mix():
    some = drawn(70, seed=4)
    orbits = Orbits(**{**vars(some), "epoch_mjd": some.epoch_mjd + np.arange(70) % 3})
    times = [EPOCH_MJD + days for days in (30.0, -30.0, 1.0, -60.0)]
    together = apparent(orbits, [Moment(time) for time in times])
    for index, time in enumerate(times):
        (alone,) = apparent(orbits[[69]], [Moment(time)])
        assert together[index].ra[69] == pytest.approx(alone.ra[0], abs=1e-8)
        assert together[index].dec[69] == pytest.approx(alone.dec[0], abs=1e-8)


@needs_extra
def test_an_orbit_that_is_not_known_has_no_place_and_leaves_the_others_theirs():
    orbits = drawn(3, seed=5)
    (whole,) = apparent(orbits, [Moment(EPOCH_MJD + 9.0)])
    orbits.eccentricity[1] = np.nan
    (found,) = apparent(orbits, [Moment(EPOCH_MJD + 9.0)])
    assert np.isnan(found.ra[1])
    assert found.ra[[0, 2]] == pytest.approx(whole.ra[[0, 2]], abs=1e-8)


@needs_extra
def test_observatories_go_by_their_code_and_spacecraft_have_no_place_on_earth():
    la_palma = site_of_code("950")
    assert np.linalg.norm(la_palma - on_earth(Place(28.762, -17.879, 2327.0))) < 2000.0
    assert site_of_code("250") is None and site_of_code("") is None and site_of_code("???") is None
