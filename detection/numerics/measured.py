"""What a model makes of labelled stamps, by kind, camera and S/N. Light enough for pages: numpy alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detection.numerics.intervals import Drawn, Figure, Flags, Floats, figure

# Lower ends of the ranges of |S/N|, as people are told of theirs.
SNR_FROM = (0.0, 7.0, 10.0, 20.0, 50.0, np.inf)
# Of fewer no share is known to better than a quarter.
FEWEST = 15


@dataclass(frozen=True)
class Measured:
    """Scores of labelled stamps, all (n,) and in one order.

    score : of being real; NaN where there is none, which is as good as bogus: such a candidate becomes no detection.
    kind, camera, group : text; a group is an exposure. snr : |S_corr|, NaN where it is not known.
    """

    score: Floats
    is_real: Flags
    kind: NDArray[np.str_]
    camera: NDArray[np.str_]
    snr: NDArray[np.floating]
    group: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.is_real)

    @property
    def ranked(self) -> Floats:
        """Return the scores with the lowest in place of none."""
        return np.where(np.isfinite(self.score), self.score, -1.0)


@dataclass(frozen=True)
class Subset:
    """Examples of one class that have something in common. about : "all", "kind", "camera" or "S/N"."""

    about: str
    name: str
    is_real: bool
    chosen: Flags


@dataclass(frozen=True)
class Share:
    """The share of a subset that is called real: found, where it is real; falsely, where it is not."""

    about: str
    name: str
    is_real: bool
    examples: int
    exposures: int
    called_real: Figure


def subsets(of: Measured) -> Iterator[Subset]:
    """Yield both classes as a whole, by kind, by camera and by S/N; empty ones are left out."""
    for is_real in (True, False):
        own = of.is_real == is_real
        parts = [("all", "all", own)]
        parts += [("kind", name, own & (of.kind == name)) for name in np.unique(of.kind[own]).tolist()]
        parts += [("camera", name, own & (of.camera == name)) for name in np.unique(of.camera[own]).tolist()]
        for low, high in pairwise(SNR_FROM):
            name = f"{low:g} and more" if np.isinf(high) else f"{low:g} to {high:g}"
            parts.append(("S/N", name, own & (of.snr >= low) & (of.snr < high)))
        yield from (Subset(about, name, is_real, chosen) for about, name, chosen in parts if chosen.any())


def shares(of: Measured, threshold: float, drawn: Drawn | None = None) -> list[Share]:
    """Return which share of each subset a threshold calls real, with intervals over exposures."""
    drawn = drawn or Drawn(of.group)
    said = of.ranked >= threshold
    return [
        Share(
            one.about,
            one.name,
            one.is_real,
            int(one.chosen.sum()),
            len(np.unique(of.group[one.chosen])),
            figure(drawn.shares(said, one.chosen)),
        )
        for one in subsets(of)
    ]


def area(of: Measured, drawn: Drawn | None = None) -> Figure:
    """Return the area under the ROC with its interval over exposures."""
    return figure((drawn or Drawn(of.group)).areas(of.ranked, of.is_real))


def limits(of: Measured) -> list[str]:
    """Tell in sentences what these examples say little or nothing about."""
    told = []
    for is_real, word in ((True, "real"), (False, "bogus")):
        own = of.is_real == is_real
        for low, high in pairwise(SNR_FROM):
            count = int((own & (of.snr >= low) & (of.snr < high)).sum())
            if count < FEWEST:
                until = "and more" if np.isinf(high) else f"to {high:g}"
                told.append(f"Of {word} ones of S/N {low:g} {until} only {count} were measured.")
        for name in np.unique(of.kind[own]).tolist():
            count = int((own & (of.kind == name)).sum())
            if count < FEWEST:
                told.append(f"Of the {word} kind “{name}” only {count} were measured.")
    cameras = np.unique(of.camera).tolist()
    if all(name.startswith("simulated") for name in cameras):
        told.append("It was measured on simulated frames alone: nothing is known of how it does on real ones.")
    else:
        told.append(f"It was measured on the cameras {', '.join(name or 'unknown' for name in cameras)} and no others.")
    return told
