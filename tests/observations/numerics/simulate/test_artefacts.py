"""What looks like a star and is none: where it is, how bright, how wide, and when."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from observations.numerics.simulate.artefacts import Strays, strays_of
from observations.numerics.simulate.nights import NightParameters, simulate_nights
from observations.numerics.simulate.sources import MoffatPsf

SHAPE = (512, 600)
PSF = MoffatPsf(3.0, SHAPE)
NO_STARS = (np.zeros(0), np.zeros(0), np.zeros(0))
# One kind at a time, where a test looks at the pixels.
NONE = Strays(hits=0.0, ghost_share=0.0)


def drawn(strays, seed=1, stars=NO_STARS, *, has_flashes=False):
    return strays_of(strays, np.random.default_rng(seed), PSF, stars, has_flashes=has_flashes)


def around(image, artefact, radius=15):
    """Return flux, centroid and variance [px²] of what is within the radius; nothing else is in the image."""
    y, x = np.indices(image.shape)
    part = np.where(np.hypot(x - artefact.x, y - artefact.y) < radius, image, 0.0)
    cx, cy = (part * x).sum() / part.sum(), (part * y).sum() / part.sum()
    return part.sum(), (cx, cy)


def width_of(image, artefact):
    """Return the FWHM [px] by the pixels that are above half of the peak; good to half a pixel."""
    y, x = np.indices(image.shape)
    part = np.where(np.hypot(x - artefact.x, y - artefact.y) < 10, image, 0.0)
    return 2 * np.sqrt((part > part.max() / 2).sum() / np.pi)


def test_the_flashes_of_a_satellite_stand_in_a_row_at_equal_distances_and_look_like_stars():
    image, flashes = drawn(NONE, has_flashes=True)
    assert {flash.kind for flash in flashes} == {"satellite flash"}
    assert len(flashes) >= 2
    x, y = np.array([[flash.x, flash.y] for flash in flashes]).T
    np.testing.assert_allclose(np.diff(x), NONE.flash_spacing_px)
    np.testing.assert_allclose(np.diff(y, 2), 0.0, atol=1e-9)
    for flash in flashes:
        flux, centre = around(image, flash)
        # Photon noise is 2 % at 2 500 electrons, and 1 % of a Moffat's light lies beyond 15 px.
        assert flux == pytest.approx(flash.flux, rel=0.06)
        assert centre == pytest.approx((flash.x, flash.y), abs=0.2)
        assert width_of(image, flash) == pytest.approx(PSF.fwhm_px, abs=0.8)


def test_a_hit_is_sharper_than_a_star_but_not_a_single_pixel():
    image, hits = drawn(replace(NONE, hits=20.0))
    assert {hit.kind for hit in hits} == {"particle hit"}
    widths = [width_of(image, hit) for hit in hits]
    assert 1.6 < np.median(widths) < PSF.fwhm_px


def test_a_ghost_is_mirrored_at_the_middle_of_the_frame_and_only_bright_stars_have_one():
    stars = (np.array([100.0, 300.0]), np.array([400.0, 200.0]), np.array([4e6, 5e5]))
    strays = replace(NONE, ghost_share=1e-3)
    image, ghosts = drawn(strays, stars=stars)
    (ghost,) = ghosts
    assert (ghost.kind, ghost.x, ghost.y, ghost.flux) == ("ghost", 499.0, 111.0, 4e3)
    flux, centre = around(image, ghost)
    assert flux == pytest.approx(4e3, rel=0.06)
    assert centre == pytest.approx((499.0, 111.0), abs=0.2)
    assert width_of(image, ghost) > PSF.fwhm_px


def test_the_number_of_hits_grows_with_the_area():
    counts = [len(drawn(replace(NONE, hits=8.0), seed)[1]) for seed in range(60)]
    # 8 a megapixel are 2.3 in this frame; the mean of 60 frames is good to 0.2.
    assert np.mean(counts) == pytest.approx(8.0 * SHAPE[0] * SHAPE[1] / 1024**2, abs=0.6)


def test_the_sky_of_a_night_is_the_same_with_and_without_artefacts():
    p = NightParameters(seed=3, size=200, frames=2, stars_per_mpx=300, galaxies_per_mpx=20, transients=1, dither_px=5)
    clean = replace(p, strays=replace(NONE, flash_e=(1.0, 1.0)))
    for night, other in zip(simulate_nights(p), simulate_nights(clean), strict=True):
        for light, same in zip(night.lights, other.lights, strict=True):
            assert light.sources == same.sources
            far = np.ones(light.data.shape, dtype=bool)
            y, x = np.indices(far.shape)
            for each in (*light.artefacts, *same.artefacts):
                far &= np.hypot(x - each.x, y - each.y) > 40
            np.testing.assert_array_equal(light.data[far], same.data[far])


def test_only_the_last_frame_of_a_later_night_has_flashes():
    p = NightParameters(seed=3, size=200, nights=3, frames=2, stars_per_mpx=300, transients=1, dither_px=5)
    for number, night in enumerate(simulate_nights(p)):
        seen = [any(each.kind == "satellite flash" for each in light.artefacts) for light in night.lights]
        assert seen == [False] * (len(seen) - 1) + [number > 0]
