"""What may be wrong with a frame by its own pixels."""

from __future__ import annotations

from observations.numerics.doubts import TRUSTED_FLUX_SHARE, Doubt
from preprocessing.numerics.background import Background
from preprocessing.numerics.sky_flat import lopsidedness

# Pixels included. Simulated stars of 1.2 px (1.0 px without) have fluxes that scatter by 4 %, sharper ones by 6 % and
# more; their median stays within 2 %.
SHARPEST_TRUSTED_PX = 1.15


def doubts_of_sky(sky: Background, *, is_flat_known: bool) -> tuple[Doubt, ...]:
    """Doubt the fluxes where one side of the sky is brighter and no flat says that the detector is not."""
    uneven = lopsidedness(sky.level)
    if is_flat_known or uneven <= TRUSTED_FLUX_SHARE:
        return ()
    return (
        Doubt(
            "gradient_without_flat", "flux", "", round(uneven, 4),
            f"One side of the sky is up to {2 * uneven:.0%} brighter than the other, and no flat was given. It is "
            "taken for light that was added (Moon, twilight, a town); were it the detector's response, fluxes would be "
            f"off by up to {uneven:.0%} at the rim. Deliver flats of this camera and filter.",
            blocks_publication=True,
        ),
    )  # fmt: skip


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
