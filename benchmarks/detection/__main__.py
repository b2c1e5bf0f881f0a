"""`make bench-detection`: how well real is told from bogus on stamps that no training has seen, and how fast.

Figures come with intervals: few labels of other surveys are certain, and stamps of one exposure are alike.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.detection.candidates import THRESHOLD, on_nights
from benchmarks.detection.intervals import by_exposure, share_in_words
from detection.numerics.calibration import area_under_curve
from detection.numerics.infer import score
from detection.numerics.stamp_width import widths_of
from detection.numerics.stamps import CHANNELS, Stamps

Array = NDArray[np.floating]

_WEIGHTS = Path("detection/weights")
_SNR = (5.0, 7.0, 10.0, 20.0, np.inf)
_SPEED_STAMPS = 2048


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", nargs="+", type=Path, default=sorted(_WEIGHTS.glob("realbogus-*.safetensors")))
    parser.add_argument(
        "--ztf",
        type=Path,
        help="folder with stamps.npz: triplets, jd, scorr, evidence_real, visual_label and drb of ZTF's alerts",
    )
    parser.add_argument("--beside", nargs="+", type=Path, default=[], help="scores of others for ZTF's stamps, .npy")
    parser.add_argument("--nights", type=Path, help="folder for the stamps of simulated nights, made where they lack")
    parser.add_argument("--seeds", nargs="+", type=int, default=[90211], help="of the nights; some minutes for each")
    options = parser.parse_args()
    for weights in options.weights:
        print(f"== {weights.stem}")
        if options.ztf is not None:
            on_ztf(options.ztf, weights, options.beside)
        if options.nights is not None:
            on_nights(options.nights, options.seeds, weights)
        print(f"stamps a second, one thread, all included: {speed(weights):.0f} (goal 6000)")


def on_ztf(folder: Path, weights: Path, others: Sequence[Path] = ()) -> None:
    """Print what a network makes of ZTF's stamps: real by independent evidence, bogus by one look of a layman."""
    with np.load(folder / "stamps.npz", allow_pickle=False) as file:
        known = {name: file[name] for name in ("jd", "scorr", "evidence_real", "visual_label", "drb")}
        stamps = with_masks(file["triplets"])
    fwhm = widths_of(stamps, known["jd"])
    scores = score(stamps, weights, fwhm_px=fwhm)
    is_scored = np.isfinite(scores)
    is_real, is_bogus = known["evidence_real"] != "", known["visual_label"] == 0
    chosen = (is_real | is_bogus) & is_scored
    counts = f"{is_real.sum()} real, {is_bogus.sum()} bogus, {(~is_scored).sum()} without a score"
    print(f"ZTF: {counts}; FWHM {fwhm.min():.2f} to {fwhm.max():.2f} px")
    area, low, high = by_exposure(area_under_curve, scores[chosen], is_real[chosen], known["jd"][chosen])
    print(f"area under the curve {area:.3f} [{low:.3f}, {high:.3f}]")
    both = chosen & np.isfinite(known["drb"])
    theirs, ours = (area_under_curve(of[both], is_real[both]) for of in (known["drb"], scores))
    labelled = f"{is_real[both].sum()} real, {(~is_real[both]).sum()} bogus"
    print(f"beside ZTF's own score (drb), on {labelled}: {ours:.3f}, theirs {theirs:.3f}")
    for path in others:
        theirs_of = np.load(path, allow_pickle=False)
        _beside(path.stem, scores[chosen], theirs_of[chosen], is_real[chosen], known["jd"][chosen])
    for kind in [*np.unique(known["evidence_real"][is_real]), "bogus"]:
        of_kind = (is_bogus if kind == "bogus" else known["evidence_real"] == kind) & is_scored
        print(f"{kind}: called real {share_in_words(scores[of_kind] >= THRESHOLD)}")
    for least, most in pairwise(_SNR):
        of_bin = is_real & is_scored & (np.abs(known["scorr"]) >= least) & (np.abs(known["scorr"]) < most)
        print(f"real of S/N {least:g} to {most:g}: called real {share_in_words(scores[of_bin] >= THRESHOLD)}")


def _beside(name: str, ours: Array, theirs: Array, is_real: NDArray[np.bool_], exposure: Array) -> None:
    """Print how much larger our area under the curve is than another's, on the same stamps."""

    def gain(both: Array, is_real: NDArray[np.bool_]) -> float:
        return area_under_curve(both[:, 0], is_real) - area_under_curve(both[:, 1], is_real)

    found, low, high = by_exposure(gain, np.column_stack([ours, theirs]), is_real, exposure)
    print(f"{name}: {area_under_curve(theirs, is_real):.3f}; ours more by {found:+.3f} [{low:+.3f}, {high:+.3f}]")


def with_masks(triplets: NDArray[np.floating]) -> Stamps:
    """Return stamps whose masks know of nothing bad."""
    stamps = np.zeros((len(triplets), len(CHANNELS), *triplets.shape[2:]), dtype=np.float32)
    stamps[:, :3] = triplets
    return stamps


def speed(weights: Path) -> float:
    """Return how many stamps a second of the processor are scored, the best of three times."""
    stamps = np.random.default_rng(1).normal(100.0, 5.0, (_SPEED_STAMPS, len(CHANNELS), 63, 63)).astype(np.float32)
    stamps[:, 3] = 0.0
    took = []
    for _ in range(3):
        begun = time.process_time()
        score(stamps, weights, fwhm_px=2.6)
        took.append(time.process_time() - begun)
    return _SPEED_STAMPS / min(took)


if __name__ == "__main__":
    main()
