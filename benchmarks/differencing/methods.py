"""The subtraction as the pipeline runs it: PSFs given or estimated, and what it costs."""

from __future__ import annotations

import ctypes
import gc
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from benchmarks.differencing.judging import Found, Peaks
from benchmarks.differencing.scenarios import Case
from differencing.numerics import peaks as numerics_peaks
from differencing.numerics.parameters import ZogyParameters
from differencing.numerics.zogy import subtract
from observations.numerics.frame import Frame
from preprocessing.numerics.background import estimate_background
from preprocessing.numerics.psf import fit_psf
from preprocessing.numerics.stars import find_stars

T = TypeVar("T")


@dataclass(frozen=True)
class Cost:
    """seconds : of the processor, the least of several runs. extra_mb : most memory above that before, NaN where the
    system does not tell."""

    seconds: float
    extra_mb: float


@dataclass(frozen=True)
class Configured:
    """What the stages take from the configuration."""

    zogy: ZogyParameters
    mesh_px: int
    star_threshold_sigma: float
    threshold_sigma: float


def configured() -> Configured:
    """Return the declared defaults. Django must be set up."""
    from catalog.configuration.values import defaults
    from differencing.parameters import zogy_parameters
    from preprocessing.stage.preprocess import parameters_of

    config = defaults()
    own = parameters_of(config)
    return Configured(
        zogy_parameters(config), own.mesh_px, own.star_threshold_sigma, config["differencing.threshold_sigma"]
    )


def measured(frame: Frame, config: Configured) -> Frame:
    """Return the frame with its stars and its PSF, measured as preprocessing measures them."""
    sky = estimate_background(frame.data, frame.mask, mesh_px=config.mesh_px)
    stars = find_stars(
        frame.data,
        frame.mask,
        background=sky.level,
        noise=sky.noise,
        threshold_sigma=config.star_threshold_sigma,
    )
    psf = fit_psf(frame.data, frame.mask, stars, background=sky.level, noise=sky.noise)
    return replace(frame, psf=psf, stars=stars)


def project(case: Case, psf: str, config: Configured, repeats: int) -> tuple[Found, dict[str, Cost]]:
    """Subtract with the true PSFs ("given") or with those measured on the frames ("estimated")."""
    pair = case.pair
    science, prepared = costing(lambda: measured(pair.science, config), 1)
    reference, _ = costing(lambda: measured(pair.reference, config), 1)
    given = (pair.psf_science, pair.psf_reference) if psf == "given" else (None, None)
    difference, cost = costing(
        lambda: subtract(science, reference, parameters=config.zogy, psf_science=given[0], psf_reference=given[1]),
        repeats,
    )
    found, finding = costing(lambda: numerics_peaks.find(difference, threshold_sigma=config.threshold_sigma), repeats)
    return (
        Found(
            difference.score,
            difference.flux,
            difference.flux_error,
            difference.noise_rescale,
            Peaks(found.x, found.y, found.score),
        ),
        {"measure": prepared, "subtract": cost, "peaks": finding},
    )


def costing(work: Callable[[], T], repeats: int) -> tuple[T, Cost]:
    """Do it once or more; return its result, the least processor time and the most memory above that before."""
    gc.collect()
    before = _reset_peak()
    start = time.process_time()
    result = work()
    seconds = time.process_time() - start
    extra = _peak_mb() - before
    for _ in range(repeats - 1):
        start = time.process_time()
        work()
        seconds = min(seconds, time.process_time() - start)
    return result, Cost(seconds, extra)


def _reset_peak() -> float:
    """Give unused memory back, forget the highest mark, return the present one in MB; NaN where that cannot be done."""
    if not sys.platform.startswith("linux"):
        return float("nan")
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return _peak_mb()


def _peak_mb() -> float:
    if not sys.platform.startswith("linux"):
        return float("nan")
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
