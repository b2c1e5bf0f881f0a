"""How well trails are drawn: pixels and trails counted against axes that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detection.numerics.segmentation.infer import TRAIL, segment
from detection.numerics.segmentation.network import STEP_OUT
from detection.numerics.segmentation.prepare import binning
from detection.numerics.segmentation.scenes import Plain, draw_trail
from detection.numerics.segmentation.train import LearningParameters
from observations.numerics.frame import Image, Mask

# A trail counts as found where half of its axis is.
FOUND_SHARE = 0.5
PEAKS = (1.0, 10.0)
TRAILS_PER_DIFFERENCE = 4


@dataclass
class Count:
    """Good pixels and trails, to be added up.

    core : within half a FWHM of an axis, and called of these. called : all that are called, and right of these: within
    one FWHM and one pixel of the map of an axis.
    """

    core: int = 0
    core_called: int = 0
    called: int = 0
    called_right: int = 0
    trails: int = 0
    found: int = 0

    def add(self, bits: NDArray[np.uint8], distance: Image, mask: Mask, fwhm_px: float) -> None:
        """Count one frame with one trail: what was drawn, and each pixel's distance from the axis, px."""
        called, good = (bits & TRAIL) > 0, ~mask
        core = good & (distance <= max(0.5 * fwhm_px, 0.8))
        near = distance <= fwhm_px + STEP_OUT * binning(fwhm_px)
        hit = int((core & called).sum())
        self.core += int(core.sum())
        self.core_called += hit
        self.called += int((called & good).sum())
        self.called_right += int((called & good & near).sum())
        self.trails += 1
        self.found += hit >= FOUND_SHARE * core.sum()

    @property
    def precision(self) -> float | None:
        return self.called_right / self.called if self.called else None

    @property
    def recall(self) -> float | None:
        return self.core_called / self.core if self.core else None

    @property
    def found_share(self) -> float | None:
        return self.found / self.trails if self.trails else None


def held_out(plains: Sequence[Plain], weights: Path, p: LearningParameters) -> dict[str, float | None]:
    """Measure on trails of 1 to 10 sigma, and on none, in subtractions that took no part in training."""
    rng, count, false = np.random.default_rng([p.seed, 0]), Count(), 0.0
    for plain in plains:
        sigmas = plain.sigmas.astype(np.float32)
        bare = segment(sigmas, plain.mask, weights, fwhm_px=plain.fwhm_px)
        false += float(((bare.bits & TRAIL) > 0).mean()) / len(plains)
        for _ in range(TRAILS_PER_DIFFERENCE):
            peak = float(np.exp(rng.uniform(*np.log(PEAKS))))
            trail = draw_trail(rng, plain.mask.shape, plain.fwhm_px, peak)
            found = segment(sigmas + trail.image, plain.mask, weights, fwhm_px=plain.fwhm_px)
            count.add(found.bits, trail.distance, plain.mask, plain.fwhm_px)
    return {
        "precision": count.precision,
        "recall": count.recall,
        "trails_found": count.found_share,
        "false_area_without_trails": false,
        "trails": float(count.trails),
    }
