"""What a network makes of the pipeline's own candidates, on simulated nights of seven kinds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.detection.intervals import share_in_words
from benchmarks.detection.nights import CONDITIONS, labelled
from detection.numerics.calibration import expected_calibration_error
from detection.numerics.infer import score

THRESHOLD = 0.5
_MISSED = 0.01
_SNR = (5.0, 6.0, 8.0, np.inf)


def on_nights(folder: Path, seeds: Sequence[int], weights: Path) -> None:
    """Print the figures, before and after the vetoes, which reject without any network."""
    parts = []
    print(f"{'nights':16}{'real':>6}{'bogus':>7}{'vetoed':>8}   called real: of the real, of the bogus, after vetoes")
    for name in CONDITIONS:
        part = np.concatenate([_judged(name, seed, folder, weights) for seed in seeds], axis=1)
        parts.append(part)
        scores, real, vetoed = part[0], part[1] > 0, part[2] > 0
        said = scores >= THRESHOLD
        told = (said[real], said[~real], said[~real & ~vetoed])
        counts = f"{name:16}{real.sum():6d}{(~real).sum():7d}{vetoed[~real].sum():8d}"
        print(counts, *(f"{share.mean():8.3f}" if share.size else f"{'-':>8}" for share in told))
    every = np.concatenate(parts, axis=1)
    scores, real, vetoed, snr = every[0], every[1] > 0, every[2] > 0, every[3]
    _false_positives("all that is found", scores, real)
    _false_positives("what no veto refuses", scores[~vetoed], real[~vetoed])
    passing = (scores >= np.quantile(scores[real & ~vetoed], _MISSED)) & ~vetoed
    print(f"with the vetoes, at that threshold, of all bogus: {share_in_words(passing[~real])} (goal .01)")
    error = expected_calibration_error(scores[~vetoed], real[~vetoed])
    print(f"calibration error of what no veto refuses: {error:.3f} (goal .02)")
    detected = (scores >= THRESHOLD) & ~vetoed
    for least, most in pairwise(_SNR):
        share = share_in_words(detected[real & (snr >= least) & (snr < most)])
        print(f"of the real that were found at S/N {least:g} to {most:g}: detected {share}")


def _judged(name: str, seed: int, folder: Path, weights: Path) -> NDArray[np.float64]:
    """Return score, whether it is real, whether it is vetoed, and S/N of each candidate: (4, n)."""
    night = labelled(name, seed, folder)
    given = night.examples
    scores = score(given.stamps, weights, fwhm_px=given.fwhm_px)
    known = np.isfinite(scores)
    return np.stack([scores, given.is_real, night.is_vetoed, given.snr])[:, known]


def _false_positives(which: str, scores: NDArray[np.float64], real: NDArray[np.bool_]) -> None:
    false = scores[~real] >= np.quantile(scores[real], _MISSED)
    print(f"false positives where {_MISSED:.0%} is missed, {which}: {share_in_words(false)} (goal .01)")
