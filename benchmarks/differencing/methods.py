"""The subtraction as the pipeline runs it: PSFs given or estimated, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmarks.differencing.costs import Cost, costing
from benchmarks.differencing.judging import Found
from benchmarks.differencing.peaks import Peaks
from benchmarks.differencing.scenarios import Case
from differencing.numerics import peaks as numerics_peaks
from differencing.numerics.align import align
from differencing.numerics.choice import subtract
from differencing.numerics.mapped_psf import map_psf
from differencing.numerics.parameters import ZogyParameters
from differencing.numerics.stack import StackParameters
from observations.numerics.frame import Frame, PsfModel
from preprocessing.numerics.astrometry.matching import match_stars
from preprocessing.numerics.background import estimate_background
from preprocessing.numerics.clean import Parameters
from preprocessing.numerics.psf import fit_psf
from preprocessing.numerics.stars import find_stars


@dataclass(frozen=True)
class Configured:
    """What the stages take from the configuration."""

    zogy: ZogyParameters
    preprocessing: Parameters
    stack: StackParameters
    threshold_sigma: float
    algorithm: str


def configured() -> Configured:
    """Return the declared defaults. Django must be set up."""
    from catalog.configuration.values import defaults
    from differencing.parameters import zogy_parameters
    from preprocessing.stage.preprocess import parameters_of

    config = defaults()
    stack = StackParameters(clip_sigma=config["differencing.stack_rejection_sigma"])
    return Configured(
        zogy_parameters(config),
        parameters_of(config),
        stack,
        config["differencing.threshold_sigma"],
        config["differencing.algorithm"],
    )


def measured(frame: Frame, config: Configured) -> Frame:
    """Return the frame with its stars and its PSF, measured as preprocessing measures them."""
    sky = estimate_background(frame.data, frame.mask, mesh_px=config.preprocessing.mesh_px)
    stars = find_stars(
        frame.data,
        frame.mask,
        background=sky.level,
        noise=sky.noise,
        threshold_sigma=config.preprocessing.star_threshold_sigma,
    )
    psf = fit_psf(frame.data, frame.mask, stars, background=sky.level, noise=sky.noise)
    return replace(frame, psf=psf, stars=stars)


def aligned(reference: Frame, science: Frame) -> Frame:
    """Bring a frame and its PSF onto the other's grid through the stars of both, as the stages do."""
    if reference.stars is None or science.stars is None:
        raise ValueError("frames are brought together by their stars; one has none")
    found = match_stars(science.stars.xy, science.stars.flux, reference.stars.xy, reference.stars.flux)
    psf = map_psf(reference.psf, found.transform, science.shape) if isinstance(reference.psf, PsfModel) else None
    return replace(align(reference, found.transform, science.shape), psf=psf)


@dataclass(frozen=True)
class Method:
    """How the project subtracts: with the true PSFs ("given") or those measured on the frames ("estimated"), by which
    algorithm (`differencing.numerics.choice`)."""

    psf: str
    algorithm: str

    @property
    def name(self) -> str:
        return self.psf if self.algorithm == "zogy" else f"{self.algorithm} {self.psf}"


def project(case: Case, method: Method, config: Configured, repeats: int) -> tuple[Found, dict[str, Cost]]:
    """Subtract as the pipeline does.

    The reference is on the science frame's grid, or nearly, and is subtracted as it is: its alignment is done for its
    cost alone.
    """
    science, measuring = costing(lambda: measured(case.science, config), repeats)
    reference = measured(case.reference, config)
    given = (case.pair.science.psf, case.pair.reference.psf) if method.psf == "given" else (None, None)
    (difference, _), subtracting = costing(
        lambda: subtract(
            science,
            reference,
            algorithm=method.algorithm,
            parameters=config.zogy,
            psf_science=given[0],
            psf_reference=given[1],
        ),
        repeats,
    )
    _, aligning = costing(lambda: aligned(reference, science), repeats)
    found, finding = costing(lambda: numerics_peaks.find(difference, threshold_sigma=config.threshold_sigma), repeats)
    return (
        Found(
            difference.score,
            difference.flux,
            difference.flux_error,
            difference.noise_rescale,
            Peaks(found.x, found.y, found.score),
        ),
        {"measure": measuring, "align": aligning, "subtract": subtracting, "peaks": finding},
    )
