"""What may be wrong with a frame by its own pixels."""

from __future__ import annotations

from observations.numerics.doubts import TRUSTED_FLUX_SHARE, Doubt
from observations.numerics.fits.facts import FrameFacts
from observations.numerics.frame import Image, PsfModel, Stars
from preprocessing.numerics.background import Background
from preprocessing.numerics.line_psf import width_of
from preprocessing.numerics.look_alike import MOSAIC, is_like_a_mosaic
from preprocessing.numerics.sky_flat import lopsidedness, vignette_loss
from preprocessing.numerics.trailed_stars import are_trailed

# Pixels included. Simulated stars of 1.2 px (1.0 px without) have fluxes that scatter by 4 %, sharper ones by 6 % and
# more; their median stays within 2 %.
SHARPEST_TRUSTED_PX = 1.15
# A sky of so many times a pixel's noise has a shape that the mesh of the background knows to some per cent.
LEAST_SKY_SIGMA = 1.0


def doubts_of_sky(
    sky: Background,
    image: Image | None = None,
    *,
    sky_flat: Image | None,
    is_flat_known: bool,
    is_zero_known: bool = True,
) -> tuple[Doubt, ...]:
    """Doubt the fluxes where no flat says whether the sky's shape is light or the detector's response.

    image : the pixels themselves, the sky where they are bad: they show a vignette that the sky's mesh is too coarse
    for. sky_flat : what the lights were divided by for want of a flat, mean 1, NaN where unknown; None for nothing.
    is_zero_known : the electronic zero point was taken off; else the sky's shares are less than those of its light.
    """
    if is_flat_known:
        return ()
    # Of a sky that was taken off before, or hides in the noise, there are no shares.
    is_seen = sky.median_level > LEAST_SKY_SIGMA * sky.median_noise
    uneven, left = (lopsidedness(sky.level), vignette_loss(sky.level)) if is_seen else (0.0, 0.0)
    if is_seen and image is not None:
        left = max(left, vignette_loss(image))
    taken = 0.0 if sky_flat is None else vignette_loss(sky_flat)
    more = "" if is_zero_known else ", and by more, as the electronic zero point is still in that sky"
    without = (
        "there is no flat, of the lights' own sky neither"
        if sky_flat is None
        else "that is left after what the lights' own sky had in common was taken out"
    )
    wrong = (
        f"Were it light that was added, fluxes at the rim would be wrong by up to {taken:.0%}, too high."
        if is_zero_known
        else "But the electronic zero point is still in that sky, and no optics darken that: the true vignette is "
        f"deeper, and fluxes at the rim may be wrong by {taken:.0%} and more, too low; were it light that was added, "
        "too high."
    )
    found = (
        (
            "gradient_without_flat", uneven, True,
            f"One side of the sky is up to {2 * uneven:.0%} brighter than the other, and no flat was given. It is "
            "taken for light that was added (Moon, twilight, a town); were it the detector's response, fluxes "
            f"would be off by up to {uneven:.0%} at the rim. Deliver flats of this camera and filter.",
        ),
        (
            "vignette_without_flat", left, True,
            f"The sky is {left:.0%} fainter at the rim than in the middle, as behind a vignette, and {without}: "
            "were it the detector's response, fluxes at the rim would be too "
            f"low by as much{more}. Deliver flats of this camera and filter, or more lights of the night.",
        ),
        (
            "vignette_by_sky", taken, not is_zero_known,
            f"No flat was given. The lights' own sky is {taken:.0%} fainter at the rim than in the middle, in all "
            "of them alike, and all of that was taken for a vignette. " + wrong +
            " Deliver flats of this camera and filter" + ("." if is_zero_known else ", and bias frames."),
        ),
    )  # fmt: skip
    return tuple(
        Doubt(code, "flux", "", round(share, 4), message, blocks_publication=blocks)
        for code, share, blocks, message in found
        if share > TRUSTED_FLUX_SHARE
    )


def doubts_of_lines(psf: PsfModel | None, stars: Stars) -> tuple[Doubt, ...]:
    """Doubt what is measured of a source that does not move with the stars, where these are lines."""
    if psf is None or not are_trailed(stars):
        return ()
    _, ellipticity = width_of(psf.middle)
    return (
        Doubt(
            "stars_are_lines", "flux", "", round(ellipticity, 2),
            "The stars are lines, as the telescope followed something else, and so is the PSF. What stands still among "
            "the stars is measured right by it; what the telescope followed is a point, whose brightness comes out "
            "too low by a half and more, and whose position is off by up to half a line.",
            blocks_publication=True,
        ),
    )  # fmt: skip


def doubts_of_colours(data: Image, facts: FrameFacts) -> tuple[Doubt, ...]:
    """Doubt the fluxes of what looks like a mosaic of colours, though its header names none; `data` as delivered."""
    if not is_like_a_mosaic(data, facts):
        return ()
    return (Doubt("looks_like_mosaic", "flux", "", None, MOSAIC, blocks_publication=True),)


def doubts_of_sampling(sharp_fwhm_px: float | None) -> tuple[Doubt, ...]:
    """Doubt the fluxes of stars that pixels are too large for.

    sharp_fwhm_px : width of the stars, their pixel included, before they were smoothed; None where they were not.
    """
    if sharp_fwhm_px is None:
        return ()
    is_sharpest = sharp_fwhm_px < SHARPEST_TRUSTED_PX
    return (
        Doubt(
            "undersampled", "flux", "", round(sharp_fwhm_px, 2),
            f"The frame is undersampled: stars are {sharp_fwhm_px:.1f} px wide, and their light was spread over the "
            "neighbouring pixels before anything was measured. Single fluxes depend on where in its pixel a star lies, "
            + ("by up to a tenth." if is_sharpest else "by a few per cent."),
            blocks_publication=is_sharpest,
        ),
    )  # fmt: skip
