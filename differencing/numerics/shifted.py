"""Find what moves and no single frame shows: scores shifted along many motions and added."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

from observations.numerics.frame import Image

Array = NDArray[np.float64]
# Gives rows [low, high) of one frame's score on the common grid: (rows, nx) float32, NaN where nothing is known.
Rows = Callable[[int, int, int], Image]

# Of one frame no pixel says more than this: what is brighter alone is found in single frames, or is an artefact.
_CLIP_SIGMA = 4.0
# Where the unmoved frames' mean without their highest and lowest third is beyond this, something stands still: a star
# that subtracts badly. What moves slowly is at one place in a third of the frames, and would be taken for a star by a
# plain mean; what is fainter than this adds little to a sum of other places.
_STATIC_SIGMA = 6.0
_TRIMMED_SHARE = 1.0 / 3.0
# The error of that mean is larger by this than that of a plain one (Gaussian noise).
_TRIMMED_ERROR = 1.15
# Between neighbouring motions the first and the last frame move by so many FWHM more or less, together: a motion
# between four of them loses at most 11 % of its score, 5 % on average.
_STEP_FWHM = 1.4
_STRIP_PX = 512
# Independent places in a square FWHM and in a cell of motions, for the number of trials; measured on blank nights.
_TRIALS_PER_CELL = 5.0
# What is real is in the first half of the night and in the second, and not owed to one frame.
_HALF_SHARE = 0.35
_WITHOUT_BEST_SHARE = 0.75
# Nor does it show as well where nothing moves: three FWHM apart, a place gets two thirds of a motion's sum at most.
_STILL_SHARE = 0.85


@dataclass(frozen=True)
class Night:
    """The frames of a night on one grid of `shape` pixels.

    minutes, weight : (n,) mid-exposures, and one over the error of a flux in the common unit. fwhm_px : of the PSF.
    """

    rows: Rows
    shape: tuple[int, int]
    minutes: Array
    weight: Array
    fwhm_px: float


@dataclass(frozen=True)
class ShiftParameters:
    """slowest, fastest : px per minute. max_false : expected number of chance motions in the night."""

    slowest: float
    fastest: float
    max_false: float


@dataclass(frozen=True)
class Motion:
    """A source on the common grid: place at the mean time, motion in px per minute, score in sigma.

    scores : of each frame, sigma, 0 where it shows nothing. chance_rate : as good ones that chance makes of the night.
    """

    x: float
    y: float
    vx: float
    vy: float
    score: float
    chance_rate: float
    scores: tuple[float, ...]

    def at(self, minutes: float) -> tuple[float, float]:
        """Return the place so many minutes from the mean time."""
        return self.x + self.vx * minutes, self.y + self.vy * minutes


def find_motions(night: Night, parameters: ShiftParameters) -> list[Motion]:
    """Add the frames' scores along every motion of a grid, and return what stands out.

    The sum is S = sum(w_k S_k) / sqrt(sum(w_k²)), the most powerful test for a source of constant flux that no single
    frame shows (Zackay & Ofek 2017, ApJ 836, 187), with each S_k clipped at 4 sigma and the pixels left out where most
    frames show that something stands still. What is unknown counts as 0, so that few frames give small scores.
    The threshold follows from the number of trials: pixels and motions, Gaussian noise. A peak must come from both
    halves of the night, not from one frame, and not from what stands still on its way. Around each that is found the
    frames are emptied before the next, so that one source is found once. Works by strips of rows that reach over as
    far as anything moves.

    Returns
    -------
    List of Motion, best first; empty where no motion between the limits moves by three FWHM.
    """
    p = parameters
    grid = motions(night, p)
    if len(grid) == 0 or len(night.minutes) < 2:
        return []
    trials = _TRIALS_PER_CELL * len(grid) * night.shape[0] * night.shape[1] / night.fwhm_px**2
    threshold = float(stats.norm.isf(min(p.max_false / trials, 0.5)))
    found: list[Motion] = []
    for low, high, cube in _strips(night, float(np.abs(grid).max())):
        best, which = _best(cube, night, grid, (low, high))
        found += _accepted(cube, night, (best, grid[which], low), (threshold, trials))
    return _once(sorted(found, key=lambda m: -m.score), night)


def motions(night: Night, p: ShiftParameters) -> Array:
    """Return the grid of motions, (n, 2) px per minute in x and y."""
    span = float(np.ptp(night.minutes))
    if span <= 0.0:
        return np.empty((0, 2))
    step = _STEP_FWHM * night.fwhm_px / span
    slowest = max(p.slowest, 3.0 * night.fwhm_px / span)
    count = int(np.ceil(p.fastest / step))
    v = step * np.arange(-count, count + 1)
    vx, vy = (each.ravel() for each in np.meshgrid(v, v))
    speed = np.hypot(vx, vy)
    return np.column_stack([vx, vy])[(speed >= slowest) & (speed <= p.fastest)]


@dataclass(frozen=True)
class _Cube:
    """Clipped scores of all frames, (n, rows, nx), emptied where nothing moves; the frame's row of the first."""

    scores: NDArray[np.float32]
    top: int


def _strips(night: Night, fastest: float) -> Iterator[tuple[int, int, _Cube]]:
    """Yield ranges of rows with the scores that anything in them may have moved to."""
    reach = int(np.ceil(fastest * np.abs(_offsets(night)).max())) + 2 * int(np.ceil(night.fwhm_px))
    ny = night.shape[0]
    for low in range(0, ny, _STRIP_PX):
        high = min(low + _STRIP_PX, ny)
        top, bottom = max(0, low - reach), min(ny, high + reach)
        cube = np.stack([night.rows(k, top, bottom) for k in range(len(night.minutes))])
        np.clip(np.nan_to_num(cube, copy=False), -_CLIP_SIGMA, _CLIP_SIGMA, out=cube)
        cube[:, _still(cube, night.fwhm_px)] = 0.0
        yield low, high, _Cube(cube, top)


def _still(cube: NDArray[np.float32], fwhm_px: float) -> NDArray[np.bool_]:
    """Tell which pixels lie within a FWHM of something that stands still."""
    cut = round(_TRIMMED_SHARE * len(cube))
    middle = np.sort(cube, axis=0)[cut : len(cube) - cut].mean(axis=0)
    beyond = np.abs(middle) > _STATIC_SIGMA * _TRIMMED_ERROR / np.sqrt(len(cube))
    return np.asarray(ndimage.binary_dilation(beyond, iterations=int(np.ceil(fwhm_px))))


def _offsets(night: Night) -> Array:
    """Return the frames' minutes from the weighted mean time, at which place and motion are least correlated."""
    return np.asarray(night.minutes - np.average(night.minutes, weights=night.weight**2))


def _best(cube: _Cube, night: Night, grid: Array, rows: tuple[int, int]) -> tuple[Image, NDArray[np.int64]]:
    """Return for each pixel of a strip the highest sum over all motions, and which motion it is."""
    low, high = rows
    shape = (high - low, night.shape[1])
    best, which = np.full(shape, -np.inf, dtype=np.float32), np.zeros(shape, dtype=np.int64)
    share = (night.weight / np.linalg.norm(night.weight)).astype(np.float32)
    weighted = cube.scores * share[:, None, None]
    total = np.empty(shape, dtype=np.float32)
    for number, (vx, vy) in enumerate(grid):
        total.fill(0.0)
        for layer, dt in zip(weighted, _offsets(night), strict=True):
            _add_moved(total, layer, round(vx * dt), round(vy * dt) + low - cube.top)
        better = total > best
        best[better], which[better] = total[better], number
    return best, which


def _add_moved(total: Image, layer: Image, dx: int, dy: int) -> None:
    """Add layer[y + dy, x + dx] to total[y, x] wherever there is such a pixel."""
    (ny, nx), (height, width) = total.shape, layer.shape
    ya, yb, xa, xb = max(0, -dy), min(ny, height - dy), max(0, -dx), min(nx, width - dx)
    if ya < yb and xa < xb:
        total[ya:yb, xa:xb] += layer[ya + dy : yb + dy, xa + dx : xb + dx]


def _accepted(
    cube: _Cube, night: Night, seen: tuple[Image, Array, int], limits: tuple[float, float]
) -> Iterator[Motion]:
    """Yield the peaks of a strip that stand when refined and when what is found already has been taken away."""
    best, velocity, low = seen
    threshold, trials = limits
    size = 2 * int(np.ceil(night.fwhm_px)) + 1
    # Between the pixels and the motions of the grid a peak is up to 15 % higher.
    is_peak = (best == ndimage.maximum_filter(best, size=size)) & (best > 0.85 * threshold)
    rows, columns = np.nonzero(is_peak)
    for k in np.argsort(-best[rows, columns]):
        y, x = int(rows[k]), int(columns[k])
        start = np.array([x, y + low, *velocity[y, x]])
        place, scores = _refined(cube, night, start)
        score = _total(scores, night)
        limit = _STILL_SHARE * score
        if score < threshold or not _is_spread(scores, night, score) or _still_score(cube, night, place) > limit:
            continue
        _empty(cube, night, place)
        chance = trials * float(stats.norm.sf(score))
        x, y, vx, vy = place.tolist()
        yield Motion(x, y, vx, vy, score, chance, tuple(scores.tolist()))


def _along(cube: _Cube, night: Night, places: Array) -> Array:
    """Return the scores of every frame at each of (n, 4) places and motions, (n, frames)."""
    dt = _offsets(night)
    x, y = places[:, 0:1] + places[:, 2:3] * dt, places[:, 1:2] + places[:, 3:4] * dt - cube.top
    frame = np.broadcast_to(np.arange(len(dt)), x.shape)
    at = np.stack([frame.ravel(), y.ravel(), x.ravel()])
    return np.asarray(ndimage.map_coordinates(cube.scores, at, order=1, mode="constant").reshape(x.shape), np.float64)


def _total(scores: Array, night: Night) -> float:
    return float(scores @ night.weight / np.linalg.norm(night.weight))


def _refined(cube: _Cube, night: Night, start: Array) -> tuple[Array, Array]:
    """Look for the highest sum around a place and motion, in ever smaller steps; return it and its scores."""
    step = np.array([0.6, 0.6, *(0.35 * _STEP_FWHM * night.fwhm_px / np.ptp(night.minutes),) * 2])
    around = np.stack(np.meshgrid(*([-1.0, 0.0, 1.0],) * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    for _ in range(6):
        places = start + around * step
        scores = _along(cube, night, places)
        k = int(np.argmax(scores @ night.weight))
        if np.all(places[k] == start):
            step *= 0.5
        start = places[k]
    return start, _along(cube, night, start[None, :])[0]


def _is_spread(scores: Array, night: Night, score: float) -> bool:
    """Tell whether both halves of the night hold their share, and the sum does not rest on its best frame."""
    order = np.argsort(night.minutes)
    weight = night.weight / np.linalg.norm(night.weight)
    halves = [
        part @ w / np.linalg.norm(w) for part, w in ((scores[half], weight[half]) for half in np.array_split(order, 2))
    ]
    rest = np.arange(len(scores)) != np.argmax(scores * weight)
    without = scores[rest] @ weight[rest] / np.linalg.norm(weight[rest])
    return bool(min(halves) >= _HALF_SHARE * score and without >= _WITHOUT_BEST_SHARE * score)


def _still_score(cube: _Cube, night: Night, place: Array) -> float:
    """Return the highest sum without motion of the places on a motion's way."""
    dt = _offsets(night)
    way = np.zeros((len(dt), 4))
    way[:, 0], way[:, 1] = place[0] + place[2] * dt, place[1] + place[3] * dt
    return float((_along(cube, night, way) @ night.weight).max() / np.linalg.norm(night.weight))


def _empty(cube: _Cube, night: Night, place: Array) -> None:
    """Take away what lies within two FWHM of a motion, in our own copy of the scores."""
    reach = int(np.ceil(2.0 * night.fwhm_px))
    _, height, width = cube.scores.shape
    for layer, dt in zip(cube.scores, _offsets(night), strict=True):
        x, y = round(place[0] + place[2] * dt), round(place[1] + place[3] * dt) - cube.top
        ys, xs = (
            slice(max(0, y - reach), min(height, y + reach + 1)),
            slice(max(0, x - reach), min(width, x + reach + 1)),
        )
        layer[ys, xs] = 0.0


def _once(found: list[Motion], night: Night) -> list[Motion]:
    """Leave out what another strip has found better: never farther than two FWHM from it in half of the frames."""
    kept: list[Motion] = []
    for motion in found:
        apart = [
            np.array([np.hypot(*np.subtract(motion.at(dt), other.at(dt))) for dt in _offsets(night)]) for other in kept
        ]
        if all(np.count_nonzero(d < 2.0 * night.fwhm_px) < 0.5 * len(d) for d in apart):
            kept.append(motion)
    return kept
