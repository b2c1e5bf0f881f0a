"""Simulated nights: what happens in which night, and where and how bright it truly is."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from observations.numerics.simulate.nights import Light, Night, NightParameters, Source, simulate_nights

# Few stars, no galaxies, and changes so bright that their place and flux can be read off a single frame.
BRIGHT = NightParameters(
    seed=4, size=256, nights=3, frames=2, stars_per_mpx=150, galaxies_per_mpx=0, transients=2,
    transient_snr=(400.0, 500.0), dither_px=10.0,
)  # fmt: skip


@lru_cache(maxsize=4)
def nights_of(parameters: NightParameters = BRIGHT) -> list[Night]:
    """Return the nights, kept; not to be written to."""
    return simulate_nights(parameters)


def good_lights(night: Night) -> list[Light]:
    return [light for light in night.lights if not light.is_clouded]


def sources(light: Light, kind: str) -> list[Source]:
    return [source for source in light.sources if source.kind == kind]


def calibrated(night: Night, light: Light):
    """Return the light in ADU above the sky, by what the simulation knows of its camera."""
    d = night.detector
    data = (light.data - d.bias_adu - d.dark_e / d.gain_e_per_adu) / d.response
    return data - np.median(data)


def measured(night: Night, light: Light, source: Source, radius=9):
    """Return flux [ADU] within the radius and the centroid in the inner half of it, of an isolated source."""
    data = calibrated(night, light)
    y, x = np.indices(data.shape)
    distance = np.hypot(x - source.x, y - source.y)
    data = data - np.median(data[(distance > 12) & (distance < 20)])
    core = np.where(distance < radius / 2, data, 0)
    centre = ((core * x).sum() / core.sum(), (core * y).sum() / core.sum())
    return data[distance < radius].sum(), centre


def test_the_same_seed_gives_the_same_nights_and_another_seed_others():
    small = {"size": 128, "frames": 1, "transients": 1, "dither_px": 4.0}
    one, same = (simulate_nights(NightParameters(seed=1, **small)) for _ in range(2))
    for a, b in zip(one, same, strict=True):
        for x, y in zip(a.lights, b.lights, strict=True):
            np.testing.assert_array_equal(x.data, y.data)
            assert x.sources == y.sources
        np.testing.assert_array_equal(a.flat[0], b.flat[0])
    other = simulate_nights(NightParameters(seed=2, **small))
    assert (one[0].lights[0].data != other[0].lights[0].data).mean() > 0.9


def test_the_first_night_is_a_reference_with_nothing_new_in_it():
    assert all(not light.sources and not light.is_clouded for light in nights_of()[0].lights)


def test_the_second_night_comes_a_week_later_or_more():
    first, second, third = (night.lights[0].mjd_utc for night in nights_of())
    assert second - first >= 7
    assert third > second + 1


def test_a_later_night_has_transients_a_variable_an_asteroid_and_one_clouded_frame():
    for night in nights_of()[1:]:
        assert sum(light.is_clouded for light in night.lights) == 1
        for light in night.lights:
            kinds = sorted(source.kind for source in light.sources)
            assert kinds == ["asteroid", "transient", "transient", "variable"]


def test_calibration_frames_come_with_each_night():
    for night in nights_of():
        assert (len(night.bias), len(night.dark), len(night.flat)) == (5, 3, 5)
        assert all(frame.dtype == np.uint16 for frame in (*night.bias, *night.dark, *night.flat))


@pytest.mark.parametrize("number", [1, 2])
def test_what_is_new_stands_where_the_truth_says_in_the_raw_grid(number):
    night = nights_of()[number]
    for light in good_lights(night):
        # At a S/N of 200 an unweighted centroid is good to 0.02 px; faint stars nearby pull by as much again.
        for source in sources(light, "transient"):
            assert measured(night, light, source)[1] == pytest.approx((source.x, source.y), abs=0.1)
        # The asteroid has a tenth of it. A step of its motion is 4.5 px.
        (asteroid,) = sources(light, "asteroid")
        assert measured(night, light, asteroid)[1] == pytest.approx((asteroid.x, asteroid.y), abs=0.6)


def test_what_is_new_has_the_flux_that_the_truth_says():
    night = nights_of()[1]
    for light in good_lights(night):
        for source in sources(light, "transient"):
            flux, _ = measured(night, light, source)
            # Within 9 px lies 99 % of the light; the noise of that aperture is 350 ADU of 30 000 or more.
            assert flux == pytest.approx(source.change_adu, rel=0.06)


def test_the_variable_star_is_half_a_magnitude_brighter_than_in_the_first_night():
    first, second = nights_of()[:2]
    later = good_lights(second)[0]
    variable = sources(later, "variable")[0]
    assert variable.flux_adu / (variable.flux_adu - variable.change_adu) == pytest.approx(10**0.2)
    earlier = first.lights[0]
    x, y = in_another(later, earlier, variable)
    before, _ = measured(first, earlier, Source("", "", x, y, 0, 0, False, 0))
    after, _ = measured(second, later, variable)
    ratio = (after / later.transparency) / (before / earlier.transparency)
    # Both fluxes are known to 3 %.
    assert -2.5 * math.log10(1 / ratio) == pytest.approx(0.5, abs=0.12)


def in_another(light: Light, other: Light, source: Source, size: int = BRIGHT.size):
    """Return the place of a source of one light in another: back to the field's grid and on to the other's."""
    centre = (size - 1) / 2
    shift = complex(*light.offset_px), complex(*other.offset_px)
    turn = np.exp(1j * np.radians(other.rotation_deg - light.rotation_deg))
    place = (complex(source.x - centre, source.y - centre) - shift[0]) * turn + shift[1]
    return place.real + centre, place.imag + centre


def test_the_asteroid_moves_at_its_rate_against_the_transients():
    early, late = good_lights(nights_of()[1])[:2]
    (a,), (b,) = sources(early, "asteroid"), sources(late, "asteroid")
    x, y = in_another(early, late, a)
    minutes = (late.mjd_utc - early.mjd_utc) * 1440
    assert math.hypot(b.x - x, b.y - y) == pytest.approx(BRIGHT.rate_px_per_min * minutes, rel=1e-6)
    for s, t in zip(sources(early, "transient"), sources(late, "transient"), strict=True):
        assert in_another(early, late, s) == pytest.approx((t.x, t.y), abs=1e-6)


def test_a_third_night_sees_the_same_transients_fainter():
    second, third = (good_lights(night)[0] for night in nights_of()[1:])
    for s, t in zip(sources(second, "transient"), sources(third, "transient"), strict=True):
        assert in_another(second, third, s) == pytest.approx((t.x, t.y), abs=1e-6)
        assert t.flux_adu / third.transparency == pytest.approx(0.7 * s.flux_adu / second.transparency)


def test_a_clouded_frame_dims_what_is_in_it_and_has_a_bright_sky():
    night = nights_of()[1]
    clouded = next(light for light in night.lights if light.is_clouded)
    clear = good_lights(night)[0]
    assert clouded.transparency == 0.02
    assert np.median(clouded.data) > np.median(clear.data) + 500
    dimmed, bright = sources(clouded, "transient")[0].flux_adu, sources(clear, "transient")[0].flux_adu
    assert dimmed / bright == pytest.approx(clouded.transparency / clear.transparency)


def test_frames_differ_in_pointing_seeing_and_transparency_within_the_limits():
    lights = [light for night in nights_of() for light in night.lights]
    assert len({light.offset_px for light in lights}) == len(lights)
    assert all(max(map(abs, light.offset_px)) <= BRIGHT.dither_px for light in lights)
    assert all(abs(light.rotation_deg) <= BRIGHT.rotation_deg for light in lights)
    assert all(BRIGHT.fwhm_px[0] <= light.fwhm_px <= BRIGHT.fwhm_px[1] for light in lights)


def test_transients_keep_off_the_edges_of_every_frame():
    for night in nights_of()[1:]:
        for light in night.lights:
            for source in sources(light, "transient"):
                assert min(source.x, source.y) > 20 and max(source.x, source.y) < BRIGHT.size - 21


def test_half_of_the_transients_are_on_hosts_where_there_are_galaxies():
    p = NightParameters(seed=1, size=400, frames=1, stars_per_mpx=50, galaxies_per_mpx=200, transients=6, dither_px=5)
    light = nights_of(p)[1].lights[0]
    assert sum(source.is_on_host for source in light.sources) == 3


def test_a_field_too_crowded_for_its_transients_is_refused():
    with pytest.raises(ValueError, match="no room"):
        simulate_nights(NightParameters(size=128, dither_px=4.0, transients=60))


def test_a_frame_smaller_than_its_dither_is_refused():
    with pytest.raises(ValueError, match="too small"):
        simulate_nights(NightParameters(size=128))


MOVING = replace(BRIGHT, movers=3, mover_snr=(500.0, 600.0), mover_rate_px_per_min=(0.3, 1.2), size=320)


def test_movers_are_others_every_later_night_and_stay_inside_at_their_rate():
    nights = nights_of(MOVING)
    assert sources(nights[0].lights[0], "mover") == []
    first = [[source.x for source in sources(night.lights[0], "mover")] for night in nights[1:]]
    assert len(first[0]) == 3 and not set(first[0]) & set(first[1])
    for night in nights[1:]:
        early, late = good_lights(night)
        minutes = (late.mjd_utc - early.mjd_utc) * 1440
        for a, b in zip(sources(early, "mover"), sources(late, "mover"), strict=True):
            assert 0 < a.x < MOVING.size and 0 < a.y < MOVING.size
            x, y = in_another(early, late, a, MOVING.size)
            assert 0.3 * minutes <= math.hypot(b.x - x, b.y - y) <= 1.2 * minutes


def test_a_mover_is_a_trail_about_its_place_with_the_flux_that_the_truth_says():
    ratios, offsets = [], []
    for night in nights_of(MOVING)[1:]:
        for light in good_lights(night):
            for source in sources(light, "mover"):
                flux, centre = measured(night, light, source)
                ratios.append(flux / source.change_adu)
                offsets.append(math.hypot(centre[0] - source.x, centre[1] - source.y))
    # Some pass a star, most do not. 99 % of the light of a point lies within 9 px.
    assert np.median(ratios) == pytest.approx(0.99, abs=0.03)
    assert np.median(offsets) < 0.2


def test_movers_leave_everything_else_where_it_is():
    with_movers, without = (nights_of(replace(MOVING, movers=n))[1].lights[0] for n in (3, 0))
    assert [s for s in with_movers.sources if s.kind != "mover"] == list(without.sources)


def test_a_field_too_small_for_the_motions_is_refused():
    with pytest.raises(ValueError, match="too small"):
        simulate_nights(replace(MOVING, mover_rate_px_per_min=(5.0, 20.0)))
