import numpy as np

from observations.numerics.doubts import TRUSTED_FLUX_SHARE
from preprocessing.numerics.background import Background
from preprocessing.numerics.doubts import doubts_of_lines, doubts_of_sampling, doubts_of_sky
from preprocessing.numerics.sources import measure_sources
from tests.preprocessing.numerics.scenes import line_field, star_field


def _sky(slope):
    level = np.broadcast_to(1000.0 * (1 + slope * np.linspace(-1, 1, 200)), (160, 200)).astype(np.float32)
    return Background(level, np.ones_like(level))


def _vignette(loss, shape=(160, 200)):
    v, u = np.meshgrid(np.linspace(-1, 1, shape[0]), np.linspace(-1, 1, shape[1]), indexing="ij")
    return (1 - loss * (u**2 + v**2) / 2).astype(np.float32)


def _codes(sky, *, sky_flat=None, is_flat_known=False):
    found = doubts_of_sky(sky, sky_flat=sky_flat, is_flat_known=is_flat_known)
    return {doubt.code: doubt.blocks_publication for doubt in found}


def test_a_lopsided_sky_without_a_flat_is_doubted_and_holds_alerts_back():
    (doubt,) = doubts_of_sky(_sky(0.3), sky_flat=None, is_flat_known=False)
    assert doubt.code == "gradient_without_flat"
    assert doubt.blocks_publication
    assert doubt.value > TRUSTED_FLUX_SHARE


def test_with_a_flat_or_an_even_sky_nothing_is_doubted():
    assert _codes(_sky(0.3), is_flat_known=True) == {}
    assert _codes(_sky(0.04)) == {}


def test_a_sky_that_fades_outwards_and_was_not_flattened_holds_alerts_back():
    dark = Background(1000 * _vignette(0.3), np.ones((160, 200), np.float32))
    assert _codes(dark) == {"vignette_without_flat": True}
    assert _codes(dark, is_flat_known=True) == {}
    (doubt,) = doubts_of_sky(dark, sky_flat=None, is_flat_known=False)
    assert 0.2 < doubt.value < 0.3
    assert _codes(Background(1000 * _vignette(0.03), dark.noise)) == {}


def test_a_sky_that_was_taken_off_before_has_no_shape():
    left = Background(_sky(0.3).level - 1000, np.full((160, 200), 40, np.float32))
    assert abs(left.median_level) < 40
    assert _codes(left) == {}


def test_a_galaxy_in_the_middle_is_no_vignette():
    v, u = np.mgrid[-1.0:1.0:160j, -1.0:1.0:200j]
    galaxy = (1000 + 600 * np.exp(-np.hypot(u, v) / 0.2)).astype(np.float32)
    assert _codes(Background(galaxy, np.ones_like(galaxy))) == {}


def test_a_vignette_that_was_taken_from_the_sky_is_said():
    even = Background(np.full((160, 200), 1000.0, np.float32), np.ones((160, 200), np.float32))
    flat = _vignette(0.3)
    flat[10, 10] = np.nan
    assert _codes(even, sky_flat=flat) == {"vignette_by_sky": False}
    assert _codes(even, sky_flat=_vignette(0.03)) == {}


def test_a_vignette_by_a_sky_with_the_zero_point_in_it_is_said_to_leave_fluxes_too_low():
    even = Background(np.full((160, 200), 1000.0, np.float32), np.ones((160, 200), np.float32))
    (doubt,) = doubts_of_sky(even, sky_flat=_vignette(0.3), is_flat_known=False, is_zero_known=False)
    assert doubt.blocks_publication
    assert "too low" in doubt.message
    assert "zero point" in doubt.message


def test_a_vignette_that_the_mesh_of_the_sky_rounds_off_is_seen_in_the_pixels():
    rng = np.random.default_rng(4)
    v, u = np.mgrid[-1.0:1.0:320j, -1.0:1.0:320j]
    sky = 480 * (1 - 0.35 * (u**2 + v**2) / 2) + 300
    image = rng.normal(sky, 25).astype(np.float32)
    rounded = Background(np.full(image.shape, 720, np.float32), np.full(image.shape, 25, np.float32))
    even = rng.normal(720, 25, image.shape).astype(np.float32)
    assert doubts_of_sky(rounded, even, sky_flat=None, is_flat_known=False) == ()
    (doubt,) = doubts_of_sky(rounded, image, sky_flat=None, is_flat_known=False, is_zero_known=False)
    assert (doubt.code, doubt.blocks_publication) == ("vignette_without_flat", True)
    assert "by more" in doubt.message
    (left,) = doubts_of_sky(rounded, image, sky_flat=_vignette(0.03), is_flat_known=False)
    assert "is left" in left.message


def test_only_the_sharpest_stars_hold_alerts_back():
    assert doubts_of_sampling(None) == ()
    assert [doubts_of_sampling(width)[0].blocks_publication for width in (1.0, 1.3, 1.7)] == [True, False, False]
    assert "undersampled" in doubts_of_sampling(1.2)[0].message


def test_lines_as_stars_are_doubted_and_points_are_not():
    for field, codes in ((line_field(3, 16.0, 0.9), ["stars_are_lines"]), (star_field(3), [])):
        found = measure_sources(field.image, field.no_mask, background=400.0, noise=20.0)
        doubts = doubts_of_lines(found.psf, found.stars)
        assert [doubt.code for doubt in doubts] == codes
        assert all(doubt.blocks_publication for doubt in doubts)
    assert doubts_of_lines(None, found.stars) == ()
