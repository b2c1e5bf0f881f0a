"""Which algorithm runs, and that it is the right one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy.ndimage import zoom

from differencing.numerics import choice, matched, zogy
from differencing.numerics.choice import AUTO, MATCHED, ZOGY
from differencing.numerics.tie import TooFewStars
from preprocessing.numerics.psf import PsfError
from tests.differencing.numerics.scenes import far_from, find, pair_of, with_source
from tests.parameters import ZOGY as PARAMETERS

subtract = partial(choice.subtract, parameters=PARAMETERS)

BRIGHT = {"shape": (320, 320), "n_stars": 120, "faintest_e": 1e4, "brightest_e": 4e5}


def stretched(psf, factor):
    """Return a PSF that is wrong: as wide as the true one times the factor."""
    stamp = psf(160, 160)
    wide = np.clip(zoom(stamp, factor, order=3, grid_mode=False), 0, None)
    wide = wide[: wide.shape[0] // 2 * 2 - 1, : wide.shape[0] // 2 * 2 - 1] if wide.shape[0] % 2 == 0 else wide
    middle = np.array(np.unravel_index(wide.argmax(), wide.shape))
    half = int(min(middle.min(), (np.array(wide.shape) - 1 - middle).min()))
    cut = wide[middle[0] - half : middle[0] + half + 1, middle[1] - half : middle[1] + half + 1]
    return cut / cut.sum()


def test_true_psfs_leave_nothing_to_gain():
    pair = pair_of(41, **BRIGHT)
    chosen = subtract(pair.science, pair.reference, algorithm=AUTO)
    assert chosen.choice.algorithm == ZOGY
    np.testing.assert_array_equal(
        chosen.difference.score, zogy.subtract(pair.science, pair.reference, parameters=PARAMETERS).score
    )
    depth = chosen.choice.zogy
    # An ideal filter's 5 sigma, which the flux error of empty sky tells as well.
    blank = far_from((320, 320), pair.star_x, pair.star_y, 14.0) & ~chosen.difference.mask
    assert depth.flux == pytest.approx(5.0 * np.median(chosen.difference.flux_error[blank]), rel=0.05)


def test_psfs_that_are_wrong_are_found_out_by_what_static_sources_would_leave():
    pair = pair_of(41, **BRIGHT)
    wrong = {"psf_science": stretched(pair.psf_science, 1.25), "psf_reference": stretched(pair.psf_reference, 0.85)}
    chosen = subtract(pair.science, pair.reference, algorithm=AUTO, **wrong)
    assert chosen.choice.algorithm == MATCHED
    assert "S/N" in chosen.choice.reason
    assert chosen.choice.matched.snr > 1.05 * chosen.choice.zogy.snr
    of_zogy = zogy.subtract(pair.science, pair.reference, parameters=PARAMETERS, **wrong)
    # A fitted kernel needs no PSF for static sources to cancel.
    assert len(find(chosen.difference)) < len(find(of_zogy))


@pytest.mark.parametrize("algorithm", [ZOGY, MATCHED])
def test_the_configuration_has_the_last_word(algorithm):
    pair = pair_of(71)
    chosen = subtract(pair.science, pair.reference, algorithm=algorithm)
    module = {ZOGY: zogy, MATCHED: matched}[algorithm]
    assert (chosen.choice.algorithm, chosen.choice.depths) == (algorithm, {})
    expected = module.subtract(pair.science, pair.reference, parameters=PARAMETERS)
    np.testing.assert_array_equal(chosen.difference.score, expected.score)


def no_psf(*_args, **_kwargs):
    raise PsfError("2 usable stars; a PSF needs 3")


@pytest.mark.parametrize(("missing", "words"), [
    (("science",), "for the science frame"),
    (("reference",), "for the reference"),
    (("science", "reference"), "for the science frame nor for the reference"),
])  # fmt: skip
def test_where_no_psf_can_be_measured_a_kernel_is_fitted_and_says_so(monkeypatch, missing, words):
    pair = pair_of(41, shape=(320, 320), n_stars=60, fwhm_science_px=4.0, fwhm_reference_px=3.0)
    monkeypatch.setattr("differencing.numerics.pair.fit_psf", no_psf)
    frames = {"science": pair.science, "reference": pair.reference}
    flux = 8000.0
    frames["science"] = with_source(frames["science"], pair.psf_science, 161.0, 150.0, flux)
    frames |= {name: replace(frames[name], psf=None) for name in missing}
    d, chosen = subtract(frames["science"], frames["reference"], algorithm=AUTO)
    assert chosen.algorithm == MATCHED and words in chosen.reason
    assert d.diagnostics.psfs_measured == 2 - len(missing)
    # The kernel turns the one PSF into the other; a guess from the sources' width has wings of its own.
    assert d.flux[150, 161] == pytest.approx(flux, rel=0.04 if len(missing) == 1 else 0.12)
    blank = far_from((320, 320), np.append(pair.star_x, 161), np.append(pair.star_y, 150), 14.0)[20:-20, 20:-20]
    sky = d.score[20:-20, 20:-20][blank]
    assert np.nanstd(sky) == pytest.approx(1.0, abs=0.05)
    with pytest.raises(PsfError):
        subtract(frames["science"], frames["reference"], algorithm=ZOGY)


def test_without_point_sources_the_kernel_is_the_flux_scale(monkeypatch):
    pair = pair_of(61, shape=(320, 320), n_stars=60, reference_flux_share=0.6)
    monkeypatch.setattr("differencing.numerics.pair.point_like", lambda stars: np.zeros(len(stars), dtype=bool))
    d, chosen = subtract(pair.science, pair.reference, algorithm=AUTO)
    assert chosen.algorithm == MATCHED and "point sources" in chosen.reason
    assert d.diagnostics.flux_scale_median == pytest.approx(1.0 / 0.6, rel=0.02)
    with pytest.raises(TooFewStars):
        subtract(pair.science, pair.reference, algorithm=ZOGY)


def test_a_flux_scale_from_all_sources_is_not_misled_by_a_psf_that_is_too_wide(monkeypatch):
    pair = pair_of(41, reference_flux_share=0.6, **BRIGHT)
    monkeypatch.setattr("differencing.numerics.pair.point_like", lambda stars: np.zeros(len(stars), dtype=bool))
    wide = stretched(pair.psf_reference, 1.5)
    d, _ = subtract(pair.science, pair.reference, algorithm=AUTO, psf_reference=wide)
    # By each frame's own PSF the ratio of fluxes would be 30 % off.
    assert d.diagnostics.flux_scale_median == pytest.approx(1.0 / 0.6, rel=0.05)
