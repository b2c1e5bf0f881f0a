"""What is said of differences against another telescope's image."""

from __future__ import annotations

import pytest

from differencing.doubts import doubts_of, doubts_of_measures, doubts_of_psf
from differencing.models import Reference
from differencing.numerics.colour import ColourTerm


def given(**values):
    told = {"origin": "given", "survey_name": "SkyMapper", "delivered_band": "r", "filter_band": "r", **values}
    return Reference(first_mjd_utc=told.pop("epoch", 57000.0), **told)


def codes(reference, *more):
    return {doubt.code: doubt.blocks_publication for doubt in doubts_of(reference, *more)}


def test_own_frames_give_no_reason_to_doubt():
    assert doubts_of(Reference(origin="frames"), 0.2) == []


def test_another_telescope_is_doubted_and_another_band_and_an_unknown_epoch_more():
    assert codes(given(), 0.01) == {"reference_of_another_telescope": False}
    assert codes(given(filter_band="R"), 0.01).keys() == {"reference_of_another_telescope", "reference_in_another_band"}
    assert codes(given(delivered_band=""), 0.01).keys() >= {"reference_in_another_band"}
    assert codes(given(epoch=None), 0.01).keys() == {"reference_of_another_telescope", "reference_of_unknown_epoch"}


@pytest.mark.parametrize(("scatter", "blocks"), [(0.04, False), (0.06, True)])
def test_fluxes_that_scatter_by_more_than_a_twentieth_are_not_published_unseen(scatter, blocks):
    assert set(codes(given(filter_band="R"), scatter).values()) == {blocks}


def test_a_colour_term_is_told_with_its_error_and_size_unless_it_is_noise():
    assert "reference_colour_term" not in codes(given(), 0.01, ("B - V", ColourTerm(0.02, 0.01, 30)))
    (doubt,) = [
        doubt
        for doubt in doubts_of(given(), 0.01, ("B - V", ColourTerm(-0.15, 0.01, 30)))
        if doubt.code == "reference_colour_term"
    ]
    assert doubt.value == -0.15 and doubt.blocks_publication
    assert "B - V" in doubt.message and "-0.150 ± 0.010 (30 stars)" in doubt.message


GOOD = {"flux_scatter": 0.02, "score_median": 0.03, "model_error": 0.01, "noise_rescale": 1.04, "noise_tolerance": 0.1}


def test_a_usual_subtraction_is_not_doubted():
    assert doubts_of_measures(**GOOD) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"flux_scatter": 0.08}, "flux_scale_scatter"),
        ({"score_median": -0.2}, "score_median"),
        ({"model_error": 0.05}, "model_error"),
        ({"noise_rescale": 0.8}, "noise_rescale"),
    ],
)
def test_each_number_that_is_unusual_is_a_doubt_with_its_value(change, code):
    (doubt,) = doubts_of_measures(**{**GOOD, **change})
    assert (doubt.code, doubt.value) == (code, next(iter(change.values())))


@pytest.mark.parametrize(
    ("core_residual", "fwhm_px", "is_doubted"),
    [
        # The largest of the frames of five telescopes; a PSF that follows no star's colour; a space telescope's.
        (0.037, 5.3, False), (0.032, 2.9, False), (0.098, 2.1, False),
        (0.06, 3.4, True), (0.17, 6.4, True), (0.26, 6.4, True), (0.15, 2.1, True),
    ],
)  # fmt: skip
def test_a_psf_is_doubted_when_it_predicts_stars_worse_than_good_frames_of_its_sampling_do(
    core_residual, fwhm_px, is_doubted
):
    assert bool(doubts_of_psf("reference", core_residual, fwhm_px)) is is_doubted


def test_the_doubt_of_a_psf_names_the_frame_and_the_share():
    (doubt,) = doubts_of_psf("science frame", 0.17, 6.4)
    assert (doubt.code, doubt.value, doubt.blocks_publication) == ("psf_of_science_frame", 0.17, False)
    assert "PSF of the science frame leaves 17%" in doubt.message and "5% is usual" in doubt.message
