"""Equal steps on a line within one frame: the flashes of a tumbling satellite, the lights of an aircraft."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, pi

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# A flash is too short for the atmosphere to average, and no lens draws a line straight to better than this.
FLOOR_PX, TOLERANCE_SIGMA, LARGEST_PX = 0.3, 3.0, 1.5
# A facet that does not glint leaves a gap: the first two members may be so many steps apart.
LONGEST_GAP = 3
# What chance makes more often than this in such a frame is no train: at most 0.2 % of real sources stand in one.
MOST_BY_CHANCE = 3e-3
# Steps shorter than so many FWHM are the parts of one trail, or of one extended source.
SHORTEST_STEP_FWHM = 5.0
FEWEST, MOST_PEAKS = 3, 100


@dataclass(frozen=True)
class Train:
    """Peaks with equal steps on one line: indices in their order along it, and the step in px.

    expected : how many rows as good chance makes in such a frame.
    """

    members: tuple[int, ...]
    step_px: float
    expected: float


def find_trains(x: Array, y: Array, error_px: Array, *, fwhm_px: float, shape: tuple[int, int]) -> list[Train]:
    """Find rows of peaks at equal steps, of which chance makes fewer than `MOST_BY_CHANCE` in such a frame.

    Every two peaks propose a step and its half and third, since a flash may be missing; what stands at a multiple of
    it joins, and the row is fitted anew. With m members of p places in it and a scatter r about its line, chance makes

        3 n (n - 1) / 2 comb(p - 2, m - 2) (pi (2 r)² n / A)^(m - 2)

    as good of n peaks spread evenly over A px. Rows that chance makes least often win; a peak belongs to one.

    Parameters
    ----------
    x, y : (n,) px of the peaks of one frame, strongest first. error_px : (n,) 1 sigma in one axis, NaN where unknown.
    fwhm_px : of the PSF. shape : (ny, nx) of the frame.

    Returns
    -------
    Trains, best first, among the `MOST_PEAKS` first peaks: where there are more, no row can be told from chance.
    """
    places = np.column_stack([x, y])[:MOST_PEAKS]
    if len(places) < FEWEST:
        return []
    error = np.nan_to_num(np.asarray(error_px, dtype=float)[:MOST_PEAKS], nan=LARGEST_PX)
    tolerance = np.minimum(np.hypot(FLOOR_PX, TOLERANCE_SIGMA * error), LARGEST_PX)
    rows: dict[frozenset[int], Train] = {}
    for numbers, members in _proposed(places, tolerance, SHORTEST_STEP_FWHM * fwhm_px):
        train = _fitted(places, tolerance, numbers, members, len(places) / (shape[0] * shape[1]))
        if train is not None and train.expected < MOST_BY_CHANCE:
            rows[frozenset(train.members)] = train
    used: set[int] = set()
    out = []
    for train in sorted(rows.values(), key=lambda each: each.expected):
        if used.isdisjoint(train.members):
            used.update(train.members)
            out.append(train)
    return out


def _proposed(places: Array, tolerance: Array, shortest: float) -> list[tuple[Indices, Indices]]:
    """Return the rows that two peaks propose and a third confirms: number of each member along it, and which it is."""
    out: dict[tuple[int, ...], tuple[Indices, Indices]] = {}
    first, second = np.triu_indices(len(places), 1)
    for part in range(1, LONGEST_GAP + 1):
        step = (places[second] - places[first]) / part
        length = np.hypot(*step.T)
        wide = length >= shortest
        i, j, step, length = first[wide], second[wide], step[wide], length[wide]
        away = places[None, :, :] - places[i][:, None, :]
        number = np.rint((away * step[:, None, :]).sum(axis=2) / (length**2)[:, None])
        beside = np.hypot(*np.moveaxis(away - number[..., None] * step[:, None, :], 2, 0))
        # Both ends of the step have an error, which grows with the distance from them.
        allowed = np.maximum(tolerance[i], tolerance[j])[:, None] * (1.0 + np.abs(number) / part) + tolerance
        joins = (beside <= allowed) & (number != 0)
        for k in np.flatnonzero(joins.sum(axis=1) >= FEWEST - 1):
            members = np.append(np.flatnonzero(joins[k]), i[k])
            out.setdefault(tuple(np.sort(members)), (np.append(number[k, joins[k]], 0).astype(int), members))
    return list(out.values())


def _fitted(places: Array, tolerance: Array, numbers: Indices, members: Indices, density: float) -> Train | None:
    """Fit equal steps to a row, leave out what does not keep to them, and tell how often chance makes its like."""
    while members.size >= FEWEST:
        about = numbers - numbers.mean()
        known = places[members] - places[members].mean(axis=0)
        step = (about[:, None] * known).sum(axis=0) / (about**2).sum()
        off = np.hypot(*(known - about[:, None] * step).T)
        worst = int(np.argmax(off / tolerance[members]))
        if off[worst] <= tolerance[members[worst]] and np.unique(numbers).size == numbers.size:
            break
        numbers, members = np.delete(numbers, worst), np.delete(members, worst)
    else:
        return None
    free = 2.0 * members.size - 4.0
    scatter = max(float(np.sqrt((off**2).sum() / free)), FLOOR_PX / 3.0)
    gap = int(np.gcd.reduce(np.diff(np.sort(numbers))))
    count, span = members.size, int(np.ptp(numbers)) // gap + 1
    n = len(places)
    share = min(1.0, pi * (2.0 * scatter) ** 2 * density)
    expected = LONGEST_GAP * n * (n - 1) / 2 * comb(span - 2, count - 2) * share ** (count - 2)
    ordered = members[np.argsort(numbers)]
    return Train(tuple(int(k) for k in ordered), float(np.hypot(*step)) * gap, float(expected))
