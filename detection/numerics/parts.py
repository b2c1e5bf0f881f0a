"""Dividing labelled stamps into what is trained with, calibrated with and measured with: nothing is on both sides."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from detection.numerics.gathered import Gathered, Texts

PARTS = TRAIN, CALIBRATION, TEST = ("train", "calibration", "test")
LEFT_OUT = ""


@dataclass(frozen=True)
class Division:
    """How to divide. calibration_share, test_share : of the examples. held_out_nights : these are the test, and no
    other: what shares an exposure or an object with them is left out of the rest."""

    seed: int = 1
    calibration_share: float = 0.12
    test_share: float = 0.18
    held_out_nights: tuple[str, ...] = ()


def components(*columns: Texts) -> NDArray[np.int64]:
    """Number the groups of rows that hang together: two rows do where they have a value of one column in common.

    A value that is not known ("") joins nothing, and equal values of different columns do not.

    Parameters
    ----------
    columns : each (n,) text.

    Returns
    -------
    (n,) numbers from 0, the same for two rows where a chain of common values leads from one to the other.
    """
    count, total = len(columns[0]), len(columns[0])
    rows, values = [], []
    for column in columns:
        names, number = np.unique(column, return_inverse=True)
        known = np.flatnonzero(column != "")
        rows.append(known)
        values.append(number[known] + total)
        total += len(names)
    links = np.concatenate(rows), np.concatenate(values)
    graph = coo_array((np.ones(len(links[0]), dtype=np.int8), links), shape=(total, total))
    return connected_components(graph, directed=False)[1][:count].astype(np.int64)


def divided(of: Gathered, how: Division) -> Gathered:
    """Return the examples with the part of each, so that no object, night or exposure is in two parts.

    What hangs together stays together, and each origin is divided in the same shares as far as that allows.

    Raises
    ------
    ValueError : a part would lack real or bogus ones, or none of the nights that are held out is there.
    """
    part = np.full(len(of), TRAIN, dtype="U11")
    if how.held_out_nights:
        part = _held_out(of, how.held_out_nights)
    free = np.flatnonzero(part == TRAIN)
    number = components(of.source[free], of.night[free], of.examples.group[free])
    targets = {CALIBRATION: how.calibration_share} | ({} if how.held_out_nights else {TEST: how.test_share})
    part[free] = _shared_out(number, of.origin[free], targets, np.random.default_rng([how.seed, 1]))
    for name in PARTS:
        _check(of.examples.is_real[part == name], name)
    return of.divided(part)


def _held_out(of: Gathered, nights: Collection[str]) -> Texts:
    """Hold out whole nights, and leave out what is seen in them and elsewhere."""
    is_test = np.isin(of.night, list(nights))
    if not is_test.any():
        raise ValueError(f"nothing is of the nights that are to be held out ({', '.join(nights)})")
    is_near = np.zeros(len(of), dtype=bool)
    for column in (of.source, of.examples.group):
        known = np.unique(column[is_test & (column != "")])
        is_near |= np.isin(column, known)
    return np.select([is_test, is_near], [TEST, LEFT_OUT], TRAIN).astype("U11")


def _shared_out(number: NDArray[np.int64], origin: Texts, targets: dict[str, float], rng: np.random.Generator) -> Texts:
    """Give each component a part: in random order to whichever lacks most and has room for half of it, else training.

    So what hangs together in a large lump is trained with, however the dice fall.
    """
    given = np.full(len(number), TRAIN, dtype="U11")
    names, first, sizes = np.unique(number, return_index=True, return_counts=True)
    part_of = dict.fromkeys(names.tolist(), TRAIN)
    for kind in np.unique(origin):
        own = rng.permutation(np.flatnonzero(origin[first] == kind))
        total = int(sizes[own].sum())
        left = {name: share * total for name, share in targets.items()}
        for place in own:
            name = max(left, key=lambda each: left[each] / max(targets[each], 1e-9))
            if left[name] >= sizes[place] / 2:
                part_of[int(names[place])] = name
                left[name] -= sizes[place]
    _fill_empty(part_of, dict(zip(names.tolist(), sizes.tolist(), strict=True)), targets)
    for name in targets:
        given[np.isin(number, [one for one, part in part_of.items() if part == name])] = name
    return given


def _fill_empty(part_of: dict[int, str], sizes: dict[int, int], targets: dict[str, float]) -> None:
    """Give a part that got nothing, of few components, the smallest one of training."""
    for name, share in targets.items():
        in_training = [one for one, part in part_of.items() if part == TRAIN]
        if share > 0 and name not in part_of.values() and len(in_training) > 1:
            part_of[min(in_training, key=lambda one: sizes[one])] = name


def _check(is_real: NDArray[np.bool_], name: str) -> None:
    if is_real.size == 0 or is_real.all() or not is_real.any():
        lacks = "any examples" if is_real.size == 0 else "bogus ones" if is_real.all() else "real ones"
        raise ValueError(
            f"the part for {name} would lack {lacks}: too few objects, nights and exposures are independent of each "
            "other. Name nights to hold out, or add another origin"
        )
