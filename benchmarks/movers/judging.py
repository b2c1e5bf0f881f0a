"""What of the things that move a night's processing has found, against the truth, and where half of them are found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

# A place within so many pixels of the truth is that thing's: a star is as wide.
NEAR_PX = 3.0
DETECTION_SIGMA = 5.0
# Draws for the error of a completeness limit.
_DRAWS = 200


class Place(TypedDict):
    """A place in a frame."""

    file: str
    pixel_x: float
    pixel_y: float


class Track(TypedDict):
    """What the night's processing took for a moving object."""

    kind: str
    is_doubtful: bool
    members: list[Place]


class Veto(TypedDict):
    """What speaks against a candidate."""

    code: str


class Candidate(Place):
    """What stood out in one frame."""

    significance: float
    is_negative: bool
    vetoes: list[Veto]


class Observation(TypedDict):
    """A frame and what became of it."""

    file: str
    status: str


class Processed(TypedDict):
    """What the pipeline says of a folder, and the CPU seconds of each search for what no single frame shows."""

    seconds: list[float]
    observations: list[Observation]
    candidates: list[Candidate]
    detections: list[Candidate]
    tracklets: list[Track]


class SimulatedSource(TypedDict):
    """The truth about something in one frame."""

    name: str
    kind: str
    x: float
    y: float
    ra: float
    dec: float
    magnitude: float


class SimulatedFile(TypedDict):
    """The truth about one frame."""

    night: int
    mjd_utc: float
    sources: list[SimulatedSource]


@dataclass(frozen=True)
class Mover:
    """The truth about one thing that moves and what became of it.

    frames, seen : frames that could show it, and those in which it stands out by five sigma. is_linked, is_stacked : it
    is a moving object by its candidates, by the shifted and added frames.
    """

    magnitude: float
    rate_arcsec_per_min: float
    frames: int
    seen: int
    is_linked: bool
    is_stacked: bool


@dataclass(frozen=True)
class Night:
    """The movers of one night, and how many moving objects are none, by how they were found."""

    movers: tuple[Mover, ...]
    false_linked: int
    false_stacked: int


@dataclass(frozen=True)
class Truth:
    """One thing that moves: a name, its magnitude and motion, and its place in each file."""

    name: str
    magnitude: float
    rate_arcsec_per_min: float
    places: dict[str, tuple[float, float]]


def judge(truths: Iterable[Truth], candidates: list[Candidate], tracks: list[Track]) -> Night:
    """Compare one night's candidates and tracklets with what truly moved in it.

    The simulator's bright asteroid is no mover here, but what is found of it is not false either.
    """
    known = list(truths)
    by_file: dict[str, list[Candidate]] = {}
    for row in candidates:
        by_file.setdefault(row["file"], []).append(row)
    counted = [track for track in tracks if not track["is_doubtful"]]
    owners = [_owner(track, known) for track in counted]
    found = {(owner, track["kind"]) for owner, track in zip(owners, counted, strict=True)}
    movers = tuple(
        Mover(
            truth.magnitude,
            truth.rate_arcsec_per_min,
            len(truth.places),
            sum(_is_seen(by_file.get(file, []), place) for file, place in truth.places.items()),
            (truth.name, "linked") in found,
            (truth.name, "stacked") in found,
        )
        for truth in known
        if truth.name.startswith("mover")
    )
    false = [track["kind"] for owner, track in zip(owners, counted, strict=True) if owner is None]
    return Night(movers, false.count("linked"), false.count("stacked"))


def _owner(track: Track, truths: list[Truth]) -> str | None:
    """Return the name of what a tracklet shows in at least half of its places, three at least."""
    for truth in truths:
        near = [_is_near(m, truth.places[m["file"]]) for m in track["members"] if m["file"] in truth.places]
        if sum(near) >= max(3, 0.5 * len(track["members"])):
            return truth.name
    return None


def _is_seen(rows: list[Candidate], place: tuple[float, float]) -> bool:
    return any(row["significance"] >= DETECTION_SIGMA and _is_near(row, place) for row in rows)


def _is_near(row: Place, place: tuple[float, float]) -> bool:
    return bool(np.hypot(row["pixel_x"] - place[0], row["pixel_y"] - place[1]) < NEAR_PX)


@dataclass(frozen=True)
class Limit:
    """The magnitude at which half is found, its error, and the share found of the brightest quarter."""

    magnitude: float
    error: float
    bright: float


def limit_of(magnitudes: NDArray[np.float64], tried: NDArray[np.int64], found: NDArray[np.int64]) -> Limit:
    """Fit a logistic curve to what was found of each thing; the error is from drawing the things anew.

    tried, found : times that each thing could have been found, and was.
    """
    rng = np.random.default_rng(1)
    bright = magnitudes <= np.quantile(magnitudes, 0.25)
    draws = [rng.integers(0, len(magnitudes), len(magnitudes)) for _ in range(_DRAWS)]
    scatter = float(np.std([_half(magnitudes[k], tried[k], found[k]) for k in draws]))
    share = float(found[bright].sum() / tried[bright].sum())
    return Limit(_half(magnitudes, tried, found), scatter, share)


def _half(magnitudes: NDArray[np.float64], tried: NDArray[np.int64], found: NDArray[np.int64]) -> float:
    """Return where the most probable logistic curve is one half."""
    middle = float(np.median(magnitudes))

    def surprise(p: NDArray[np.float64]) -> float:
        u = (magnitudes - middle - p[0]) * np.exp(p[1])
        return float((found * np.logaddexp(0.0, u) + (tried - found) * np.logaddexp(0.0, -u)).sum())

    best = optimize.minimize(surprise, np.array([0.0, 1.5]), method="Nelder-Mead", options={"maxiter": 400})
    return middle + float(best.x[0])
