"""`python -m benchmarks.detection.trails`: how well trails are drawn in real frames, and what is called without any.

Trails of random place and angle, as wide as the frame's stars, are put into the real pairs of ASTRID_TEST_DATA: into
the difference, or into the science frame before it is subtracted (`--through`). A trail's axis is its truth: recall is
the share of the good pixels within half a FWHM of it that are called a trail; precision is the share of the called good
pixels that lie within one FWHM and one pixel of the map of the axis. A trail is found where half of its axis is.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import django
import numpy as np

from benchmarks.differencing.injections import subtracted
from benchmarks.differencing.methods import Configured, configured
from benchmarks.differencing.real_frames import FOLDERS, RealPair, real_pairs
from detection.numerics.faults import Rng
from detection.numerics.segmentation.infer import ARTEFACT, TRAIL, segment
from detection.numerics.segmentation.measure import Count
from observations.numerics.frame import Image, Mask
from observations.numerics.statistics import FWHM_PER_SIGMA, MAD_TO_SIGMA

WEIGHTS = Path("detection/weights/trails-2.safetensors")
# Peaks of the trails, in sigma of a pixel of the difference; as many trails in each bin.
FLASHING_SHARE = 0.25
BINS = (0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)


@dataclass(frozen=True)
class Real:
    """One real difference, and its seeing, px."""

    name: str
    pair: RealPair
    difference: Image
    mask: Mask
    fwhm_px: float

    @property
    def sigma(self) -> float:
        good = self.difference[~self.mask]
        return float(MAD_TO_SIGMA * np.median(np.abs(good - np.median(good))))


@dataclass(frozen=True)
class Run:
    """What to measure: trails per frame and bin; through : the subtraction, where they go through it."""

    weights: Path
    trails: int
    through: Configured | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--trails", type=int, default=2, help="per frame and bin of brightness")
    parser.add_argument("--through", action="store_true", help="put them into the science frame, and subtract")
    parser.add_argument("--folders", nargs="*", default=list(FOLDERS))
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")
    django.setup()
    config = configured()
    run = Run(options.weights, options.trails, config if options.through else None)
    counts: dict[str, Count] = defaultdict(Count)
    for name in options.folders:
        for k, real in enumerate(real_differences(name, config)):
            without_trails(real, options.weights)
            judge(real, run, np.random.default_rng([1, k]), counts)
    for name, count in counts.items():
        print(f"{name:28} {_line(count)}")
    cost(options.weights)


def _line(count: Count) -> str:
    shares = (("precision", count.precision), ("recall", count.recall), ("found", count.found_share))
    told = "  ".join(f"{name} {np.nan if share is None else share:.3f}" for name, share in shares)
    return f"{told} of {count.trails} trails"


def real_differences(name: str, config: Configured) -> Iterator[Real]:
    for pair in real_pairs(name, config):
        made, _ = subtracted(pair.science, pair.reference, config)
        if pair.science.stars is None:
            raise ValueError(f"{pair.file} has no stars")
        yield Real(f"{name} {pair.file}", pair, made.difference, made.mask, pair.science.stars.fwhm_px)


def without_trails(real: Real, weights: Path) -> None:
    """Print what is called in a frame as it is: none of these shows a trail."""
    bits = segment(real.difference, real.mask, weights, fwhm_px=real.fwhm_px).bits
    shares = [float(((bits & bit) > 0).mean()) for bit in (TRAIL, ARTEFACT)]
    print(
        f"{real.name:56} FWHM {real.fwhm_px:4.1f} px  no trail: called trail {shares[0]:.5f}, artefact {shares[1]:.5f}"
    )


def judge(real: Real, run: Run, rng: Rng, counts: dict[str, Count]) -> None:
    """Put trails of each bin of brightness into a frame, one at a time, and count what is called."""
    for low, high in pairwise(BINS):
        for _ in range(run.trails):
            peak = float(np.exp(rng.uniform(np.log(low), np.log(high))))
            is_flashing = rng.random() < FLASHING_SHARE
            light, distance = put_in(rng, real.difference.shape, real.fwhm_px, is_flashing=is_flashing)
            difference, mask = _with(real, light * np.float32(peak * real.sigma), run.through)
            bits = segment(difference, mask, run.weights, fwhm_px=real.fwhm_px).bits
            kinds = [f"peak {low:g} to {high:g}"]
            if low >= 1:
                kinds += ["all of 1 to 10", "flashing" if is_flashing else "even", real.name.split()[0]]
            for kind in kinds:
                counts[kind].add(bits, distance, mask, real.fwhm_px)


def put_in(rng: Rng, shape: tuple[int, ...], fwhm_px: float, *, is_flashing: bool) -> tuple[Image, Image]:
    """Return the light of a trail of peak 1 that crosses the frame, or ends in it, and each pixel's distance, px."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    angle = rng.uniform(0, np.pi)
    x0, y0 = rng.uniform(0.15, 0.85) * shape[1], rng.uniform(0.15, 0.85) * shape[0]
    along = (x - x0) * np.cos(angle) + (y - y0) * np.sin(angle)
    across = np.abs((x - x0) * np.sin(angle) - (y - y0) * np.cos(angle))
    if rng.random() < 0.25:
        across = np.where(along > 0, across, np.float32(np.inf))
    light = np.exp(-0.5 * (across * FWHM_PER_SIGMA / fwhm_px) ** 2)
    if is_flashing:
        light = light * (0.5 + 0.5 * np.sin(along * np.float32(2 * np.pi / rng.uniform(20, 120))))
    return light, across


def _with(real: Real, light: Image, through: Configured | None) -> tuple[Image, Mask]:
    if through is None:
        return real.difference + light, real.mask
    science = replace(real.pair.science, data=real.pair.science.data + light)
    made, _ = subtracted(science, real.pair.reference, through)
    return made.difference, made.mask


def cost(weights: Path) -> None:
    """Print time and memory of one frame of 1024 x 1024, one thread, all included."""
    image = np.random.default_rng(1).normal(0, 1, (1024, 1024)).astype(np.float32)
    mask, begin = np.zeros(image.shape, dtype=bool), time.process_time()
    for _ in range(3):
        segment(image, mask, weights, fwhm_px=3.0)
    seconds = (time.process_time() - begin) / 3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(f"1024 x 1024: {seconds:.2f} s of one thread; peak of this process, all of it, {peak:.0f} MB")


if __name__ == "__main__":
    main()
