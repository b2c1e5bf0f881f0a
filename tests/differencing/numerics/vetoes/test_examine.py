from dataclasses import replace

import numpy as np
import pytest

from differencing.numerics.measure import measure
from differencing.numerics.vetoes.examine import examine, filled_pixels
from differencing.numerics.vetoes.veto import CODES
from observations.numerics.frame import Frame, MaskBit
from observations.numerics.simulate.sources import MoffatPsf, point_sources
from preprocessing.numerics.sources import measure_sources
from tests.differencing.numerics.scenes import find, frame_of, pair_of, subtract, with_source
from tests.preprocessing.numerics.scenes import line_field

SEED = 71
# An empty place of that pair.
X, Y = 90.3, 119.8


def vetoes_at(science, reference, x=X, y=Y, *, filled=None):
    """Subtract, and return what speaks against the peak nearest to a place, with the peak's number."""
    difference = subtract(science, reference)
    measured = measure(difference, find(difference), science)
    distance = np.hypot(measured.x - x, measured.y - y)
    k = int(np.argmin(distance))
    assert distance[k] < 3.0
    nothing = np.zeros(science.shape, dtype=bool)
    return {veto.code: veto for veto in examine(difference, measured, nothing if filled is None else filled)[k]}


def with_psf(frame, psf, flux, x=X, y=Y):
    light = point_sources(frame.shape, np.array([x]), np.array([y]), np.array([flux]), psf)
    return replace(frame, data=(frame.data + light).astype(np.float32))


@pytest.mark.parametrize("flux", [1500.0, 6000.0, 40000.0])
@pytest.mark.parametrize("seed", [71, 72, 73])
def test_nothing_speaks_against_a_new_point_source_faint_or_bright(seed, flux):
    pair = pair_of(seed)
    assert vetoes_at(with_source(pair.science, pair.psf_science, X, Y, flux), pair.reference) == {}


def test_nothing_speaks_against_a_source_that_vanished():
    pair = pair_of(SEED)
    assert vetoes_at(pair.science, with_source(pair.reference, pair.psf_reference, X, Y, 5000.0)) == {}


def test_a_hit_whose_charge_has_spread_is_sharper_than_a_star():
    pair = pair_of(SEED)
    hit = MoffatPsf(0.55 * pair.psf_science.fwhm_px, pair.science.shape, beta=5.0)
    found = vetoes_at(with_psf(pair.science, hit, 4000.0), pair.reference)
    assert set(found) == {"cosmic_ray"}
    assert found["cosmic_ray"].value > 8.0
    assert "sharper than a star" in found["cosmic_ray"].message


def test_what_the_telescope_followed_is_no_hit_where_stars_are_lines():
    def exposed(number):
        field = line_field(5, 14.0, 0.5, size=300, count=25, exposure=number)
        found = measure_sources(field.image, field.no_mask, background=400.0, noise=20.0)
        return Frame(field.image, field.no_mask, psf=found.psf, stars=found.stars, gain=1.0)

    science, reference = exposed(1), exposed(2)
    followed = with_psf(science, MoffatPsf(3.0, science.shape, beta=3.0), 20000.0, 150.0, 200.0)
    assert "cosmic_ray" not in vetoes_at(followed, reference, 150.0, 200.0)
    hit = with_psf(science, MoffatPsf(1.2, science.shape, beta=5.0), 20000.0, 150.0, 200.0)
    assert vetoes_at(hit, reference, 150.0, 200.0)


def test_a_hot_pixel_that_resampling_has_smeared_in_the_reference_is_named_as_such():
    pair = pair_of(SEED)
    smeared = MoffatPsf(0.5 * pair.psf_reference.fwhm_px, pair.science.shape, beta=5.0)
    assert set(vetoes_at(pair.science, with_psf(pair.reference, smeared, 4000.0))) == {"hot_pixel"}


@pytest.mark.parametrize("width", [2.0, 3.0])
def test_a_coma_is_wider_than_a_star_and_no_other_shape(width):
    pair = pair_of(SEED)
    coma = MoffatPsf(width * pair.psf_science.fwhm_px, pair.science.shape, beta=3.0)
    found = vetoes_at(with_psf(pair.science, coma, 20000.0), pair.reference)
    assert set(found) == {"wider_than_star"}
    assert found["wider_than_star"].value == pytest.approx(width, rel=0.45)


def test_a_square_of_light_has_no_stars_shape():
    pair = pair_of(SEED)
    data = pair.science.data.copy()
    data[112:120, 86:90] += 500.0
    data[120:128, 90:94] += 500.0
    found = vetoes_at(replace(pair.science, data=data), pair.reference)
    assert {"psf_difference", "wider_than_star"} & set(found)


def test_a_core_that_was_filled_in_is_doubted_by_its_share():
    pair = pair_of(SEED)
    science = with_source(pair.science, pair.psf_science, X, Y, 6000.0)
    bits = np.zeros(science.shape, dtype=np.uint16)
    bits[117:122, 88:93] = MaskBit.INTERPOLATED
    filled = filled_pixels(frame_of(science.data, mask_bits=bits), frame_of(pair.reference.data))
    found = vetoes_at(science, pair.reference, filled=filled)
    assert set(found) == {"soft_pixels"}
    assert found["soft_pixels"].value > 0.3


def test_every_code_is_one_of_the_declared():
    pair = pair_of(SEED)
    difference = subtract(pair.science, pair.reference)
    measured = measure(difference, find(difference), pair.science)
    found = examine(difference, measured, np.zeros(pair.science.shape, dtype=bool))
    assert len(found) == len(measured)
    assert {veto.code for each in found for veto in each} <= set(CODES)
