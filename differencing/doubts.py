"""What may be wrong with a subtraction, by its reference and by its own numbers: code, fact, value and a sentence."""

from __future__ import annotations

from differencing.models import Reference, ReferenceOrigin
from differencing.numerics.colour import ColourTerm
from observations.numerics.bands import normalise_band
from observations.numerics.doubts import TRUSTED_FLUX_SHARE, Doubt
from observations.numerics.scales import are_alike, ratio

# A term below this many of its errors is none.
COLOUR_SIGMA = 3.0
# Stars of a field scatter by this in colour; transients lie further out.
USUAL_COLOUR_SPREAD_MAG = 0.5
# Beyond these a subtraction is not as good as others. Simulated pairs and those of five telescopes have a scatter of
# flux ratios of .01 to .05 (.11 where nearly all sources are galaxies), a median of the blank score of .00 to .09
# sigma, and leave .005 to .017 of a star.
USUAL_FLUX_SCATTER, USUAL_SCORE_MEDIAN, USUAL_MODEL_ERROR = 0.06, 0.1, 0.03
# What a PSF leaves within one FWHM of stars that it was not made from, as a share of them. Frames of five telescopes
# have .02 to .04, but .05 to .10 where the FWHM is 2 px; simulated ones .00 to .02. A space telescope's diffraction
# spikes, told by six stars, leave .2.
USUAL_PSF_RESIDUAL, USUAL_PSF_RESIDUAL_UNDERSAMPLED = 0.05, 0.12
UNDERSAMPLED_FWHM_PX = 2.5


def doubts_of_measures(
    *, flux_scatter: float, score_median: float, model_error: float, noise_rescale: float, noise_tolerance: float
) -> list[Doubt]:
    """Return what a subtraction's own numbers say against it."""
    found = (
        (flux_scatter > USUAL_FLUX_SCATTER, "flux_scale_scatter", "flux", flux_scatter,
         f"Star fluxes scatter by {flux_scatter:.1%} about the common scale; a few per cent are usual. Stars may be "
         "left in the difference, and its fluxes may be off."),
        (abs(score_median) > USUAL_SCORE_MEDIAN, "score_median", "significance", score_median,
         f"The empty sky of the difference has a median of {score_median:+.2f} sigma instead of 0: faint detections of "
         "one sign are too many, of the other too few."),
        (model_error > USUAL_MODEL_ERROR, "model_error", "significance", model_error,
         f"Bright stars leave {model_error:.1%} of their light in the difference. What changes near them is lost, and "
         "what is found there may be a residual: look at the PSF and the registration."),
        (abs(noise_rescale - 1.0) > noise_tolerance, "noise_rescale", "significance", noise_rescale,
         f"The noise of the score was {noise_rescale:.2f} times the predicted one. Significances are corrected for it, "
         "but errors of flux rest on that correction."),
    )  # fmt: skip
    return [Doubt(code, fact, "", round(value, 4), message) for is_so, code, fact, value, message in found if is_so]


def doubts_of_psf(frame: str, core_residual: float, fwhm_px: float) -> list[Doubt]:
    """Return what is doubtful about the PSF of a frame, by stars that were held out of it (see `HeldOut`).

    frame : "science frame" or "reference".
    """
    usual = USUAL_PSF_RESIDUAL if fwhm_px > UNDERSAMPLED_FWHM_PX else USUAL_PSF_RESIDUAL_UNDERSAMPLED
    if core_residual <= usual:
        return []
    doubt = Doubt(
        f"psf_of_{frame.replace(' ', '_')}", "psf", "", round(core_residual, 4),
        f"The PSF of the {frame} leaves {core_residual:.0%} of stars that it was not made from; at most {usual:.0%} is "
        "usual. Fluxes may be off by several per cent, and rings may be left around bright stars.",
    )  # fmt: skip
    return [doubt]


def doubts_of_scale(science_px: float | None, reference_px: float | None, fwhm_px: float) -> list[Doubt]:
    """Return what is doubtful about a reference whose pixels are larger than the science frame's.

    science_px, reference_px : pixel scales, arcsec. fwhm_px : of the reference's stars, in its own pixels. Smaller
    pixels only add up; larger ones are interpolated, well where stars are wider than two of them.
    """
    if are_alike(science_px, reference_px) or ratio(reference_px, science_px) < 1.0:
        return []
    is_coarse = fwhm_px < UNDERSAMPLED_FWHM_PX
    width = f"{fwhm_px:.1f} of its pixels wide"
    doubt = Doubt(
        "reference_of_coarser_scale", "scale", "", round(ratio(reference_px, science_px), 3),
        f"The reference has pixels of {reference_px:.2f} arcsec and this frame of {science_px:.2f} arcsec: it was "
        f"resampled. Its stars are {width}"
        + (", too sharp for that: bright stars may leave residuals." if is_coarse else "."),
    )  # fmt: skip
    return [doubt]


def doubts_of(reference: Reference, flux_scatter: float, colour: tuple[str, ColourTerm] | None = None) -> list[Doubt]:
    """Return what is doubtful about differences against a reference.

    flux_scatter : relative scatter of the stars' flux ratios about the flux scale, which unlike filters leave.
    colour : name of a colour and what it does to these ratios, where that is known.
    """
    if reference.origin != ReferenceOrigin.GIVEN:
        return []
    name, band, own = reference.survey_name or "another telescope", reference.delivered_band, reference.filter_band
    doubts = [
        Doubt(
            "reference_of_another_telescope", "reference", "", name,
            f"The reference is an image of {name}, whose filter and detector see colours otherwise: stars of unusual "
            f"colour leave residuals. Star fluxes scatter by {flux_scatter:.1%} about the common scale.",
            flux_scatter > TRUSTED_FLUX_SHARE,
        )
    ]  # fmt: skip
    if normalise_band(band) != normalise_band(own):
        given = f"taken in {band}" if band else "of an unknown filter"
        doubts.append(
            Doubt(
                "reference_in_another_band",
                "band",
                "",
                band or None,
                f"The reference is {given}, this frame in {own}: what is redder or bluer than most stars is brighter "
                "or fainter in the difference than it is on the sky.",
                flux_scatter > TRUSTED_FLUX_SHARE,
            )
        )
    if reference.first_mjd_utc is None:
        doubts.append(
            Doubt(
                "reference_of_unknown_epoch",
                "time",
                "",
                None,
                "The reference does not say when it was taken: it may hold what is looked for.",
            )
        )
    if colour is not None and abs(colour[1].slope) > COLOUR_SIGMA * colour[1].error:
        name, term = colour
        doubts.append(
            Doubt(
                "reference_colour_term",
                "flux",
                "",
                round(term.slope, 4),
                f"For each magnitude of {name} the frame's magnitudes differ from the reference's by "
                f"{term.slope:+.3f} ± {term.error:.3f} ({term.star_count} stars): what is not as red as most stars "
                "has a residual of this size in the difference.",
                abs(term.slope) * USUAL_COLOUR_SPREAD_MAG > TRUSTED_FLUX_SHARE,
            )
        )
    return doubts
