import numpy as np
import pytest
from scipy import ndimage

from preprocessing.numerics import masks
from preprocessing.numerics.background import estimate_background
from preprocessing.numerics.calibrate import Master
from tests.parameters import PREPROCESSING
from tests.preprocessing.numerics.scenes import moffat_stars, satellite_trail, star_field

FALLOFF = PREPROCESSING.vignette_falloff


def _sky(seed=1, size=256, level=0.0, sigma=10.0):
    return np.random.default_rng(seed).normal(level, sigma, (size, size)).astype(np.float32)


def _none(image):
    return np.zeros(image.shape, dtype=bool)


def _level(image, value=10.0):
    return np.full(image.shape, value, dtype=np.float32)


def test_a_ceiling_is_found_where_cores_pile_up_and_not_otherwise():
    rng = np.random.default_rng(4)
    x, y = rng.uniform(20, 380, (2, 40))
    stars = moffat_stars((400, 400), (x, y, 1e5 * rng.uniform(0.05, 1, 40) ** -1), 3.0)
    free = rng.normal(stars + 1000, 10).astype(np.float32)
    assert masks.find_ceiling(free) is None
    cut = np.minimum(free, 30_000)
    ceiling = masks.find_ceiling(cut)
    assert ceiling is not None
    assert ceiling.source == "histogram"
    assert 28_000 < ceiling.level < 30_000
    # Full wells differ by a few per cent: the plateau is not flat.
    rough = np.where(free > 30_000, 30_000 * rng.normal(1, 0.01, free.shape), free).astype(np.float32)
    ceiling = masks.find_ceiling(rough)
    assert ceiling is not None
    assert 26_000 < ceiling.level < 31_000


def test_the_header_counts_where_nothing_piles_up():
    assert masks.find_ceiling(_sky(5, level=1000), header_level=60_000) == masks.Ceiling(58_200, "header")
    assert masks.find_ceiling(_sky(5, level=1000), header_level=float("nan")) is None


def test_saturated_cores_grow_and_single_hot_pixels_do_not():
    image = _sky(6)
    image[100:104, 100:104] = 60_000
    image[200, 200] = 60_000
    grown = masks.saturated_pixels(image, masks.Ceiling(50_000, "header"), 3.0)
    assert grown[100:104, 97].all()
    assert grown[200, 200]
    assert grown[195:206, 195:206].sum() == 1


def test_hot_pixels_of_the_dark_are_bad_and_warm_ones_are_not():
    dark = _sky(7, sigma=2.0)
    dark[10, 10], dark[20, 20] = 5000, 40
    bad = masks.detector_defects(Master(dark, "dark", 3), None, 10.0, dark.shape)
    assert bad[10, 10]
    assert not bad[20, 20]
    assert bad.sum() == 1


def test_a_dead_pixel_of_the_flat_is_bad_and_vignetting_is_not():
    flat = np.linspace(0.4, 1.4, 256, dtype=np.float32)[:, None] * np.ones((256, 256), "f4")
    flat[50, 50] *= 0.3
    bad = masks.detector_defects(None, Master(flat, "flat", 3), 10.0, flat.shape)
    assert bad[50, 50]
    assert bad.sum() == 1


@pytest.mark.parametrize("colours", [(1.0, 0.7, 0.5, 1.0), (0.7, 1.0, 1.0, 0.3), (0.3, 1.0, 1.0, 0.7)])
def test_in_a_mosaic_a_colour_that_the_lamp_lacks_is_not_shaded(colours):
    flat = np.tile(np.array(colours, dtype=np.float32).reshape(2, 2), (60, 60))
    flat[40, 41] *= 0.5
    bad = masks.detector_defects(None, Master(flat, "flat", 3), 10.0, flat.shape, is_mosaic=True)
    assert bad[40, 41]
    assert bad.sum() == 1


@pytest.mark.parametrize("transposed", [False, True])
def test_a_column_or_row_defect_is_found_and_stars_are_not(transposed):
    field = star_field(32)
    image = field.image - 400
    image[100:220, 150] += 45
    if transposed:
        image = np.ascontiguousarray(image.T)
    found = masks.line_defects(image, _level(image, 20.0), _none(image))
    found = found.T if transposed else found
    assert found[110:210, 150].mean() > 0.9
    assert found[:, :145].sum() + found[:, 156:].sum() < 200  # half a per mille: a crowded run or two


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("height", [-30, 30, 500])  # 3 sigma below and above the sky, and 50
def test_columns_up_to_three_wide_are_defects_in_full(width, height):
    image = _sky(12, size=512)
    image[:, 100 : 100 + width] += height
    image[200:, 300 : 300 + width] += height
    found = masks.line_defects(image, _level(image), _none(image))
    assert found[:, 100 : 100 + width].mean() > 0.98
    assert found[200:, 300 : 300 + width].mean() > 0.98
    found[:, 100 : 100 + width] = found[176:, 300 : 300 + width] = False  # a run may reach 24 px beyond the end
    assert not found.any()


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("crest", [30, 120, 3000])  # 3, 12 and 300 sigma
@pytest.mark.parametrize("angle_deg", [0, 0.5, 2, 4, 6, 8])
def test_a_trail_along_the_columns_or_rows_is_no_line_defect(angle_deg, crest, transposed):
    image = _sky(13, size=512)
    image += satellite_trail(image.shape, angle_deg, crest=crest, fwhm=2.9)
    image = np.ascontiguousarray(image.T) if transposed else image
    assert not masks.line_defects(image, _level(image), _none(image)).any()


def test_a_dark_edge_is_found_and_a_good_one_is_not():
    image = _sky(8)
    image[:2] -= 40
    found = masks.edge_defects(image, _level(image), _none(image))
    assert found[:2].all()
    assert found[3:].sum() == 0


def test_a_vignetted_corner_is_unilluminated_and_a_galaxy_or_a_faint_sky_is_not():
    y, x = np.mgrid[:512, :512]
    light = np.where(np.hypot(x - 256, y - 256) < 300, 1.0, 0.2)
    image = (_sky(9, size=512) + 1000 * light).astype(np.float32)
    dark = masks.unilluminated(image, _none(image), estimate_background(image, _none(image)), falloff=FALLOFF)
    assert dark[light < 0.5].mean() > 0.98
    assert dark[light > 0.5].mean() < 0.03
    flat = _sky(10, size=512, level=3.0)
    assert not masks.unilluminated(flat, _none(flat), estimate_background(flat, _none(flat)), falloff=FALLOFF).any()


@pytest.mark.parametrize("radius", [1, 2, 3, 8])
def test_a_mask_grows_by_exactly_a_disc(radius):
    rng = np.random.default_rng(12)
    mask = ndimage.binary_dilation(rng.random((90, 110)) < 0.004, iterations=3)
    mask[:2, 40:60] = mask[-1, -1] = True
    np.testing.assert_array_equal(masks.grow(mask, radius), ndimage.distance_transform_edt(~mask) <= radius)


def test_nothing_grows_out_of_an_empty_mask():
    assert not masks.grow(np.zeros((20, 20), dtype=bool), 5).any()


def test_a_response_is_compared_with_the_median_around_it():
    rng = np.random.default_rng(13)
    y, x = np.mgrid[0:203, 0:150]
    response = (1.3 - 1.4e-4 * ((x - 75) ** 2 + (y - 100) ** 2) ** 0.9 + rng.normal(0, 0.005, x.shape)).astype("f4")
    response[60:63, 70:75] *= 0.5
    response[120, ::9] = np.nan
    around = ndimage.median_filter(np.nan_to_num(response[::4, ::4]), 5).repeat(4, 0).repeat(4, 1)[:203, :150]
    expected = np.isnan(response) | (response < masks.LOWEST_LOCAL_RESPONSE * around)
    assert expected[60:63, 70:75].all()
    np.testing.assert_array_equal(
        masks.detector_defects(None, Master(response, "flat", 3), 5.0, response.shape), expected
    )


@pytest.mark.parametrize("size", [(48, 7), (60, 130), (300, 129), (97, 400)])
def test_a_line_defect_is_found_wherever_it_lies_in_a_frame_of_any_size(size):
    image = np.random.default_rng(14).normal(0.0, 10.0, size).astype(np.float32)
    columns = range(3, size[1] - 3, 11)
    for column in columns:
        image[:, column] = -80.0
    found = masks.line_defects(image, _level(image), _none(image))
    assert found[:, list(columns)].mean() > 0.98
    assert found.sum() <= len(columns) * size[0]
