from dataclasses import replace

import numpy as np
import pytest

from differencing.numerics.align import align
from differencing.numerics.mapped_psf import map_psf
from observations.numerics.frame import HeldOut, PsfModel
from tests.differencing.numerics.scenes import SIGMA_TO_FWHM, frame_of

NX, NY, HALF = 160, 120, 12


def _gaussian(dx, dy, wide, narrow, angle):
    """Return an elliptical Gaussian of peak 1; widths are FWHM in px, angle from +x to +y."""
    u, v = dx * np.cos(angle) + dy * np.sin(angle), -dx * np.sin(angle) + dy * np.cos(angle)
    return np.exp(-0.5 * SIGMA_TO_FWHM**2 * ((u / wide) ** 2 + (v / narrow) ** 2))


def _shape(x):
    return 3.2 + 0.006 * (x - NX / 2), 2.8 + 0.003 * (x - NX / 2), 0.6


def _model():
    """Return the linear model through the shapes at both ends of the field."""
    dy, dx = np.mgrid[-HALF : HALF + 1, -HALF : HALF + 1].astype(float)
    ends = []
    for x in (0.0, NX - 1.0):
        stamp = _gaussian(dx, dy, *_shape(x))
        ends.append(stamp / stamp.sum())
    u = (NX - 1) / NX  # of the right end
    slope = (ends[1] - ends[0]) / (2 * u)
    return PsfModel(np.stack([(ends[0] + ends[1]) / 2, slope, np.zeros_like(slope)]), 1, NX, NY)


def _turn(degrees, scale=1.0, is_mirrored=False):
    c, s = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    sign = -1.0 if is_mirrored else 1.0
    return lambda x, y: (
        80.3 + c * sign * (x - 80) - s * (y - 60),
        59.6 + s * sign * (x - 80) + c * (y - 60),
    )


@pytest.mark.parametrize("degrees", [0.0, 0.05, 1.0, 35.0, 90.0, 180.0])
@pytest.mark.parametrize(("scale", "is_mirrored"), [(1.0, False), (1.05, False), (1.0, True)])
def test_a_mapped_psf_is_the_image_of_a_star_in_the_resampled_frame(degrees, scale, is_mirrored):
    psf, pixel_map = _model(), _turn(degrees, scale, is_mirrored)
    mapped = map_psf(psf, pixel_map, (NY, NX))
    x, y = 84.0, 57.0
    star_x, star_y = (float(v) for v in pixel_map(x, y))
    row, column = np.mgrid[0:NY, 0:NX].astype(float)
    # The model's own mixture of shapes, at the star's place.
    share = star_x / (NX - 1.0)
    image = np.zeros((NY, NX))
    for weight, end in ((1 - share, 0.0), (share, NX - 1.0)):
        stamp = _gaussian(column - star_x, row - star_y, *_shape(end))
        image += weight * stamp / stamp.sum()
    aligned = align(frame_of(1e4 * image), pixel_map, (NY, NX))
    cut = aligned.data[57 - HALF : 58 + HALF, 84 - HALF : 85 + HALF].astype(np.float64)
    # The star is 2.7 px wide across: splines keep that to 0.3 % of its core, the frame's and the stamp's.
    assert np.abs(cut / cut.sum() - mapped(x, y)).max() < 6e-3 * mapped(x, y).max()


def test_a_mapped_psf_has_sum_one_and_its_centre_in_the_middle_everywhere():
    mapped = map_psf(_model(), _turn(33.0, 1.02), (NY, NX))
    dy, dx = np.mgrid[-HALF : HALF + 1, -HALF : HALF + 1]
    for x, y in ((0.0, 0.0), (NX - 1.0, 10.0), (70.0, NY - 1.0)):
        stamp = mapped(x, y)
        assert stamp.sum() == pytest.approx(1.0, abs=1e-6)
        assert (stamp * dx).sum() == pytest.approx(0.0, abs=0.01)
        assert (stamp * dy).sum() == pytest.approx(0.0, abs=0.01)


def test_a_shift_takes_the_psf_of_where_the_light_came_from():
    psf = _model()
    mapped = map_psf(psf, lambda x, y: (x + 31.5, y - 7.0), (NY, NX))
    np.testing.assert_allclose(mapped(40.0, 60.0), psf(71.5, 53.0), atol=1e-12)


def test_what_stars_held_out_of_a_psf_have_shown_holds_for_it_when_it_is_mapped():
    found = HeldOut(0.03, 0.001, 12)
    assert map_psf(replace(_model(), held_out=found), _turn(33.0, 1.02), (NY, NX)).held_out == found
