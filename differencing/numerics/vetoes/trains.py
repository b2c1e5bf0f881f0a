"""Equal steps on a line within one frame: the flashes of a tumbling satellite, the lights of an aircraft."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import comb, pi
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# A flash is too short for the atmosphere to average, and no lens draws a line straight to better than this.
FLOOR_PX, TOLERANCE_SIGMA, LARGEST_PX = 0.3, 3.0, 1.5
# A tumbling body turns about more than one axis: along its way a flash is early or late by up to so much of a step.
# Most are not: rows are tried without it, too.
JITTERS = (0.0, 0.08)
JITTER = max(JITTERS)
# A facet that does not glint leaves a gap: the first two members may be so many steps apart.
LONGEST_GAP = 3
# What chance makes of more than this share of a frame's peaks is no train: rows of every size add up to 0.2 % of them.
MOST_BY_CHANCE = 7e-4
# Steps shorter than so many FWHM may be the parts of one trail, or of one extended source: flashes are dark between
# them, below a share of the fainter one at most places. Nearer ones than the second can no longer be told apart.
SURE_STEP_FWHM, SHORTEST_STEP_FWHM = 5.0, 2.5
_DARK, _DARK_PLACES = 0.5, 0.75
FEWEST, MOST_PEAKS = 3, 100
# A train that chance makes less often than this is sure.
SURE = 1e-3
_ROUNDS = 6


@dataclass(frozen=True)
class Train:
    """Peaks with equal steps on one line: indices in their order along it, and the step in px.

    expected : how many rows as good chance makes in such a frame.
    """

    members: tuple[int, ...]
    step_px: float
    expected: float


def find_trains(
    x: Array,
    y: Array,
    error_px: Array,
    *,
    fwhm_px: float,
    shape: tuple[int, int],
    score: NDArray[np.floating] | None = None,
) -> list[Train]:
    """Find rows of peaks at equal steps, of which chance makes too few in such a frame to be one.

    Every two peaks propose a step and its half and third, since a flash may be missing; what stands at a multiple of
    it joins, from the nearest outwards, and the row is fitted anew each time. With m members of p places in it, and
    scatters a along and c across its line, chance makes

        3 n (n - 1) / 2 comb(p - 2, m - 2) (4 pi a c (1 + |ln(a / c)|) n / A)^(m - 2)

    as good of n peaks spread evenly over A px; a train has fewer than `MOST_BY_CHANCE` n / m, so that of the peaks of
    many frames no more than a certain share is blamed. The logarithm is for the choice between the two scatters. Rows
    that chance makes least often win; a peak belongs to one. What else stands at a train's steps, or between the ends
    of a sure one, belongs to it.

    Parameters
    ----------
    x, y : (n,) px of the peaks of one frame, strongest first. error_px : (n,) 1 sigma in one axis, NaN where unknown.
    fwhm_px : of the PSF. shape : (ny, nx) of the frame.
    score : (ny, nx) S/N of a point source at each pixel, by which short steps are told from the parts of one trail;
    without it no step below `SURE_STEP_FWHM` counts.

    Returns
    -------
    Trains, best first, found among the `MOST_PEAKS` first peaks: with more, no row of a few can be told from chance.
    """
    if len(x) < FEWEST:
        return []
    error = np.nan_to_num(np.asarray(error_px, dtype=float), nan=LARGEST_PX)
    tolerance = np.minimum(np.hypot(FLOOR_PX, TOLERANCE_SIGMA * error), LARGEST_PX)
    everything = _Peaks(np.column_stack([x, y]), tolerance, shape[0] * shape[1])
    places = everything.places[:MOST_PEAKS]
    peaks = everything._replace(places=places, tolerance=tolerance[:MOST_PEAKS])
    shortest = fwhm_px * (SURE_STEP_FWHM if score is None else SHORTEST_STEP_FWHM)
    rows: dict[frozenset[int], Train] = {}
    for seed, part in _seeds(peaks, shortest):
        for jitter in JITTERS:
            row = _pruned(peaks, _grown(peaks, seed, part, jitter), jitter)
            train = _judged(peaks, row, shortest)
            if train is None or train.expected >= MOST_BY_CHANCE * len(places) / len(train.members):
                continue
            # Also of wide steps: every second part of a trail makes a row, too.
            if score is None or _is_dark_between(score, places[list(train.members)]):
                rows[frozenset(train.members)] = train
    used: set[int] = set()
    out = []
    for train in sorted(rows.values(), key=lambda each: each.expected):
        if used.isdisjoint(train.members):
            out.append(_whole(everything, train, used))
            used.update(out[-1].members)
    return out


class _Peaks(NamedTuple):
    """Places (n, 2) px, how far each may be off across a line, px, and the area they are spread over, px²."""

    places: Array
    tolerance: Array
    area: float


class _Row(NamedTuple):
    """Members of a row, their numbers along it, and the fitted place of number 0 and step, px."""

    members: Indices
    numbers: Indices
    start: Array
    step: Array


def _seeds(peaks: _Peaks, shortest: float) -> Iterator[tuple[tuple[int, int], int]]:
    """Yield two peaks and how many steps apart they may be, where a third one near by confirms the step."""
    places, tolerance = peaks.places, peaks.tolerance
    first, second = np.triu_indices(len(places), 1)
    for part in range(1, LONGEST_GAP + 1):
        step = (places[second] - places[first]) / part
        wide = np.hypot(*step.T) >= shortest
        i, j, step = first[wide], second[wide], step[wide]
        length = np.hypot(*step.T)[:, None]
        away = places[None, :, :] - places[i][:, None, :]
        along = (away * step[:, None, :]).sum(axis=2) / length
        across = (away[..., 1] * step[:, None, 0] - away[..., 0] * step[:, None, 1]) / length
        number = np.rint(along / length)
        # Both ends of the step have an error, which grows with the distance from them.
        growth = 1.0 + np.abs(number) / part
        allowed = np.maximum(tolerance[i], tolerance[j])[:, None] * growth + tolerance
        is_near = (number >= -LONGEST_GAP) & (number <= part + LONGEST_GAP) & (number != 0) & (number != part)
        joins = is_near & (np.abs(across) <= allowed)
        joins &= np.abs(along - number * length) <= allowed + JITTER * length * growth
        for k in np.flatnonzero(joins.any(axis=1)):
            yield (int(i[k]), int(j[k])), part


def _grown(peaks: _Peaks, seed: tuple[int, int], part: int, jitter: float) -> _Row:
    """Add what stands at multiples of the step to two peaks, no farther beyond the ends than a gap at a time."""
    row = _fitted(peaks, np.array(seed), np.array([0, part]))
    for _ in range(_ROUNDS):
        along, across, number = _along(peaks, row)
        about = row.numbers - row.numbers.mean()
        growth = 1.0 + np.sqrt(1.0 / about.size + (number - row.numbers.mean()) ** 2 / (about**2).sum())
        allowed = peaks.tolerance * growth
        # Three tell the step well enough to reach over longer gaps.
        gap = LONGEST_GAP * (1 if row.members.size < FEWEST else 2)
        inside = (number >= row.numbers.min() - gap) & (number <= row.numbers.max() + gap)
        off = np.abs(along) / (allowed + jitter * np.hypot(*row.step)), np.abs(across) / allowed
        good = np.flatnonzero(inside & (off[0] <= 1.0) & (off[1] <= 1.0))
        # Of two at one place the one that fits better.
        order = good[np.argsort(np.hypot(off[0][good], off[1][good]), kind="stable")]
        numbers, which = np.unique(number[order], return_index=True)
        if numbers.size < 2 or np.array_equal(order[which], row.members):
            break
        row = _fitted(peaks, order[which], numbers.astype(int))
    return row


def _fitted(peaks: _Peaks, members: Indices, numbers: Indices) -> _Row:
    """Fit equal steps to members."""
    about = numbers - numbers.mean()
    middle = peaks.places[members].mean(axis=0)
    step = (about[:, None] * (peaks.places[members] - middle)).sum(axis=0) / (about**2).sum()
    return _Row(members, numbers, middle - numbers.mean() * step, step)


def _along(peaks: _Peaks, row: _Row) -> tuple[Array, Array, Array]:
    """Return how far each peak is off the nearest place of a row, along it and across, px, and that place's number."""
    length = float(np.hypot(*row.step))
    away = peaks.places - row.start
    along = away @ row.step / length
    number = np.rint(along / length)
    return along - number * length, (away[:, 1] * row.step[0] - away[:, 0] * row.step[1]) / length, number


def _pruned(peaks: _Peaks, row: _Row, jitter: float) -> _Row | None:
    """Leave out what does not keep to the fitted steps."""
    while row.members.size >= FEWEST:
        off = [np.abs(each[row.members]) for each in _along(peaks, row)[:2]]
        allowed = peaks.tolerance[row.members]
        excess = np.maximum(off[0] / (allowed + jitter * np.hypot(*row.step)), off[1] / allowed)
        worst = int(np.argmax(excess))
        if excess[worst] <= 1.0:
            return row
        row = _fitted(peaks, np.delete(row.members, worst), np.delete(row.numbers, worst))
    return None


def _judged(peaks: _Peaks, row: _Row | None, shortest: float) -> Train | None:
    """Tell how often chance makes the like of a row."""
    if row is None:
        return None
    gap = int(np.gcd.reduce(np.diff(np.sort(row.numbers))))
    step = float(np.hypot(*row.step)) * gap
    if step < shortest:
        return None
    count, span, n = row.members.size, int(np.ptp(row.numbers)) // gap + 1, len(peaks.places)
    scatter = [
        max(float(np.sqrt((each[row.members] ** 2).sum() / (count - 2))), FLOOR_PX / 3.0)
        for each in _along(peaks, row)[:2]
    ]
    choice = 1.0 + abs(np.log(scatter[0] / scatter[1]))
    share = min(1.0, 4.0 * pi * scatter[0] * scatter[1] * choice * n / peaks.area)
    expected = LONGEST_GAP * n * (n - 1) / 2 * comb(span - 2, count - 2) * share ** (count - 2)
    return Train(tuple(int(k) for k in row.members[np.argsort(row.numbers)]), step, float(expected))


def _is_dark_between(score: NDArray[np.floating], places: Array) -> bool:
    """Tell whether most pairs of neighbours in a row have nothing half-way between them; an unknown pixel is dark."""
    middle = (places[:-1] + places[1:]) / 2.0
    own, between = (score[tuple(np.rint(each[:, ::-1]).astype(int).T)] for each in (places, middle))
    is_dark = ~(between >= _DARK * np.minimum(own[:-1], own[1:]))
    return bool(is_dark.mean() >= _DARK_PLACES)


def _whole(peaks: _Peaks, train: Train, used: set[int]) -> Train:
    """Return a train with all that belongs to it: at its steps beyond gaps, and, of a sure one, on its line.

    What tumbles may glint from two sides, at unequal times: such flashes stand between the ends, or a step from them.
    """
    places = peaks.places[list(train.members)]
    numbers = np.rint(np.hypot(*(places - places[0]).T) / train.step_px).astype(int)
    row = _fitted(peaks, np.array(train.members), numbers)
    along, across, number = _along(peaks, row)
    own = np.abs(along[row.members]).max()
    about = numbers - numbers.mean()
    growth = 1.0 + np.sqrt(1.0 / about.size + (number - numbers.mean()) ** 2 / (about**2).sum())
    on_line = np.abs(across) <= peaks.tolerance * growth
    at_step = on_line & (np.abs(along) <= np.maximum(peaks.tolerance * growth, own))
    inside = (number >= numbers.min() - 1) & (number <= numbers.max() + 1) & (train.expected < SURE)
    joins = np.flatnonzero(at_step | (on_line & inside))
    return replace(train, members=(*train.members, *(int(k) for k in joins if k not in used and k not in row.members)))
