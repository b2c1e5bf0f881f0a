"""What is doubtful about a difference by the frames that went into it."""

from __future__ import annotations

from differencing.doubts import doubts_of_psf, doubts_of_scale
from differencing.models import Reference
from differencing.numerics.difference import Difference
from differencing.numerics.peaks import fwhm_of
from observations.models import Observation
from observations.numerics.doubts import Doubt
from observations.numerics.frame import PsfModel


def scale_in_doubt(observation: Observation, reference: Reference) -> list[Doubt]:
    """Return what is doubtful about a reference of other pixels than the frame's."""
    best = reference.best_member
    if best is None:
        return []
    return doubts_of_scale(observation.pixel_scale, best.pixel_scale, reference.fwhm_px or float("inf"))


def psfs_in_doubt(difference: Difference) -> list[Doubt]:
    """Return what is doubtful about PSFs that were checked on stars held out of them."""
    psfs = (("science frame", difference.psf_science), ("reference", difference.psf_reference))
    return [
        doubt
        for name, psf in psfs
        if isinstance(psf, PsfModel) and psf.held_out is not None
        for doubt in doubts_of_psf(name, psf.held_out.core_residual, fwhm_of(psf.middle))
    ]
