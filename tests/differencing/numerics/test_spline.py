import numpy as np
import pytest
from scipy import ndimage

from differencing.numerics.align import align
from differencing.numerics.spline import PAD_PX, coefficients, gather, map_nodes
from tests.differencing.numerics.scenes import frame_of

SHAPE = (150, 211)


def _stars(seed=1):
    rng = np.random.default_rng(seed)
    points = np.zeros(SHAPE)
    points[rng.integers(0, SHAPE[0], 60), rng.integers(0, SHAPE[1], 60)] = 10 ** rng.uniform(2, 5, 60)
    return (ndimage.gaussian_filter(points, 1.0) + rng.normal(0.0, 3.0, SHAPE)).astype(np.float32)


def _turn(degrees, scale=1.0, bend=0.0):
    c, s = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return lambda x, y: (
        105.3 + c * (x - 105) - s * (y - 75) + bend * (x - 105) ** 2,
        74.8 + s * (x - 105) + c * (y - 75) - bend * (x - 105) * (y - 75),
    )


def _grid():
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]].astype(float)
    return x, y


def test_the_spline_in_single_precision_is_the_one_in_double():
    image = _stars()
    x, y = _turn(3.0, 1.05)(*_grid())
    values = np.empty(SHAPE, dtype=np.float32)
    gather(coefficients(image), x, y, values)
    exact = ndimage.map_coordinates(image.astype(np.float64), [y, x], order=5, mode="grid-constant", cval=0.0)
    # Single precision: 1e-7 of the peak, several sums deep; at the rim scipy's padding ends, 4e-5 of what is there.
    inside = (x > 0) & (y > 0) & (x < SHAPE[1] - 1) & (y < SHAPE[0] - 1)
    assert np.abs(values - exact)[inside].max() < 2e-6 * image.max()
    assert np.abs(values - exact).max() < 1e-4 * image.max()


def test_the_spline_goes_through_its_samples_and_ends_in_zeros():
    image = _stars(2)
    spline = coefficients(image)
    assert spline.shape == (SHAPE[0] + 2 * PAD_PX, SHAPE[1] + 2 * PAD_PX)
    values = np.empty(SHAPE, dtype=np.float32)
    gather(spline, *_grid(), values)
    np.testing.assert_allclose(values, image, atol=1e-6 * image.max())
    x, y = _grid()
    for nowhere in (x + 1000.0, np.full(SHAPE, np.nan), np.full(SHAPE, -np.inf), x + 1e12):
        gather(spline, nowhere, y, values)
        assert (values == 0).all()


@pytest.mark.parametrize("degrees", [0.1, 33.0, 89.9, 180.2, -91.0])
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_a_frame_in_any_orientation_is_resampled_as_a_plain_spline_does(degrees, is_mirrored):
    image, variance = _stars(3), np.abs(_stars(4)) + 9
    rng = np.random.default_rng(5)
    bits = np.where(rng.random(SHAPE) < 0.01, 4, 0).astype(np.uint16)
    turn = _turn(degrees, 1.01, bend=1e-5)

    def pixel_map(x, y):
        return turn(SHAPE[1] - 1 - x, y) if is_mirrored else turn(x, y)

    aligned = align(frame_of(image, bits != 0, mask_bits=bits, variance=variance), pixel_map, SHAPE)
    x, y = pixel_map(*_grid())
    weight = ndimage.map_coordinates((bits != 0).astype(float), [y, x], order=1, mode="grid-constant", cval=1.0)
    # A weight within rounding of the limit may fall to either side.
    sure = np.abs(weight - 0.05) > 1e-4
    np.testing.assert_array_equal(aligned.mask[sure], weight[sure] > 0.05)
    inside = (x > 6) & (y > 6) & (x < SHAPE[1] - 7) & (y < SHAPE[0] - 7)
    far = (
        inside
        & ~ndimage.binary_dilation(bits != 0, np.ones((3, 3)))[
            np.clip(np.rint(y), 0, SHAPE[0] - 1).astype(int), np.clip(np.rint(x), 0, SHAPE[1] - 1).astype(int)
        ]
    )
    area = _area(x, y)
    assert far.sum() > 5000
    expected = ndimage.map_coordinates(variance, [y, x], order=1) * area**2
    np.testing.assert_allclose(aligned.variance[far], expected[far], rtol=2e-4)
    nearest = bits[np.clip(np.rint(y), 0, SHAPE[0] - 1).astype(int), np.clip(np.rint(x), 0, SHAPE[1] - 1).astype(int)]
    np.testing.assert_array_equal(aligned.mask_bits[inside] & 4, nearest[inside])
    clean = align(frame_of(image), pixel_map, SHAPE)
    expected = ndimage.map_coordinates(image.astype(float), [y, x], order=5, mode="grid-constant") * area
    assert np.abs(clean.data - expected)[inside].max() < 1e-4 * image.max()


def _area(x, y):
    (dx_dy, dx_dx), (dy_dy, dy_dx) = np.gradient(x), np.gradient(y)
    return np.abs(dx_dx * dy_dy - dx_dy * dy_dx)


@pytest.mark.parametrize(
    ("name", "pixel_map"),
    [
        ("smooth", lambda x, y: (x + 2e-5 * (x - 500) ** 2 + 3e-8 * (y - 400) ** 3, y + 1e-5 * x * y)),
        ("rippled", lambda x, y: (x + 0.4 * np.sin(x / 7.0), y - 0.3 * np.cos((x + y) / 11.0))),
        ("broken", lambda x, y: (np.where(x > 333, x + 2.5, x), y)),
    ],
)
def test_a_map_between_its_nodes_is_the_map_itself(name, pixel_map):
    shape = (90, 700)
    x, y, area = map_nodes(pixel_map, shape).at(0, *shape)
    row, column = np.indices(shape).astype(float)
    true_x, true_y = pixel_map(column, row)
    # The tolerance holds half-way between nodes, where interpolation is worst; twice that leaves room beside it.
    assert np.hypot(x - true_x, y - true_y).max() < 2e-3
    if name != "broken":
        np.testing.assert_allclose(area[1:-1, 1:-1], _area(true_x, true_y)[1:-1, 1:-1], atol=5e-3)


@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (3, 40), (1, 300)])
def test_a_target_of_a_few_pixels_has_a_map_too(shape):
    x, y, area = map_nodes(lambda x, y: (2 * x + 1, 3 * y + 0.01 * y * x), shape).at(0, *shape)
    row, column = np.indices(shape).astype(float)
    np.testing.assert_allclose(x, 2 * column + 1, atol=1e-6)
    np.testing.assert_allclose(y, 3 * row + 0.01 * row * column, atol=1e-6)
    np.testing.assert_allclose(area, 6 + 0.02 * column, rtol=1e-5)
