"""`python -m benchmarks.differencing.flashes`: of satellites' flashes and of real peaks, which stand in trains.

Places alone are drawn, as a difference would give them: trains of one satellite in any direction, some of them leaving
the frame, and peaks at random places. Seeds from 71 on are for stating results; tune on others.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from differencing.numerics.vetoes.trains import Train, find_trains

Array = NDArray[np.float64]

FWHM_PX = 3.0
GOAL_FLAGGED, GOAL_BLAMED = 0.99, 0.002


@dataclass(frozen=True)
class Sky:
    """What a frame shows: a satellite's flashes, and `others` at random places, as far as they are found.

    missing : share of the flashes that are not found. jitter : scatter of a flash along its way, of the step. uneven :
    second flash of each turn off the middle, of the step; faint : share of the second flashes that are not found.
    step_px : range, even in its logarithm. found : of a train at least; others are drawn again.
    """

    others: int = 12
    missing: float = 0.0
    jitter: float = 0.0
    uneven: float = 0.0
    faint: float = 0.0
    step_px: tuple[float, float] = (60.0, 300.0)
    side_px: int = 1024
    error_px: tuple[float, float] = (0.03, 0.25)
    found: int = 4
    has_train: bool = True


SKIES = {
    "every flash found": Sky(),
    "a tenth missing": Sky(missing=0.1),
    "a third missing": Sky(missing=1.0 / 3.0),
    "steps scatter by 1 %": Sky(jitter=0.01, missing=0.1),
    "steps scatter by 3 %": Sky(jitter=0.03, missing=0.1),
    "bright and faint in turn": Sky(faint=0.5),
    "of two, unevenly": Sky(uneven=0.12, missing=0.1, step_px=(60.0, 200.0)),
    "crowded, a tenth missing": Sky(others=60, missing=0.1),
    "crowded, a third missing": Sky(others=60, missing=1.0 / 3.0),
    "large frame, a third missing": Sky(others=60, missing=1.0 / 3.0, side_px=4096, step_px=(60.0, 900.0)),
    "no satellite": Sky(has_train=False),
    "no satellite, crowded": Sky(has_train=False, others=60),
    "no satellite, 100 peaks": Sky(has_train=False, others=100),
}


@dataclass(frozen=True)
class Frame:
    """x, y and error of each peak, brightest first; which are flashes."""

    x: Array
    y: Array
    error: Array
    is_flash: NDArray[np.bool_]
    side_px: int = field(default=1024)


def drawn(sky: Sky, rng: np.random.Generator) -> Frame:
    """Draw one frame."""
    while True:
        flashes = _flashes(sky, rng) if sky.has_train else np.empty((0, 2))
        if len(flashes) >= sky.found or not sky.has_train:
            break
    places = np.concatenate([flashes, rng.uniform(0.0, sky.side_px, (sky.others, 2))])
    error = np.exp(rng.uniform(np.log(sky.error_px[0]), np.log(sky.error_px[1]), len(places)))
    places = places + rng.normal(0.0, 1.0, places.shape) * error[:, None]
    order = np.argsort(error)
    is_flash = np.arange(len(places)) < len(flashes)
    return Frame(places[order, 0], places[order, 1], error[order], is_flash[order], sky.side_px)


def _flashes(sky: Sky, rng: np.random.Generator) -> Array:
    """Draw the places of a satellite's flashes in the frame; its way may end in it, where the exposure does."""
    step, angle = np.exp(rng.uniform(np.log(sky.step_px[0]), np.log(sky.step_px[1]))), rng.uniform(0.0, 2.0 * np.pi)
    number = np.arange(-60, 61, dtype=float)
    second = np.arange(number.size) % 2 == 1
    along = step * (number + sky.uneven * second + sky.jitter * rng.normal(size=number.size))
    # Some go all the way through, some begin or end in the frame.
    begin, end = np.sort(rng.uniform(-1.5, 1.5, 2)) * sky.side_px
    way = np.array([np.cos(angle), np.sin(angle)])
    places = rng.uniform(0.2, 0.8, 2) * sky.side_px + along[:, None] * way
    is_found = rng.uniform(size=number.size) >= np.where(second, max(sky.faint, sky.missing), sky.missing)
    inside = ((places > 0.0) & (places < sky.side_px)).all(axis=1) & (along > begin) & (along < end)
    return places[inside & is_found]


Find = Callable[..., list[Train]]


def shares(sky: Sky, seed: int, frames: int, find: Find = find_trains) -> tuple[int, int, int, int]:
    """Return how many flashes are flagged, of how many, and how many of the others, of how many."""
    flagged, flashes, blamed, others = 0, 0, 0, 0
    for k in range(frames):
        frame = drawn(sky, np.random.default_rng([seed, k]))
        trains = find(frame.x, frame.y, frame.error, fwhm_px=FWHM_PX, shape=(frame.side_px, frame.side_px))
        members = [m for train in trains for m in train.members]
        flagged += int(frame.is_flash[members].sum())
        blamed += int((~frame.is_flash[members]).sum())
        flashes, others = flashes + int(frame.is_flash.sum()), others + int((~frame.is_flash).sum())
    return flagged, flashes, blamed, others


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=71)
    parser.add_argument("--frames", type=int, default=200, help="of each kind")
    options = parser.parse_args()
    print(f"{'frames':32}{'flagged of the flashes':>24}{'of the others':>16}   (goals {GOAL_FLAGGED}, {GOAL_BLAMED})")
    for name, sky in SKIES.items():
        flagged, flashes, blamed, others = shares(sky, options.seed, options.frames)
        share = f"{flagged / flashes:.4f} of {flashes}" if flashes else ""
        print(f"{name:32}{share:>24}{blamed / others:16.4f}", flush=True)


if __name__ == "__main__":
    main()
