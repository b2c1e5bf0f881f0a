"""Labelled stamps with where each comes from: what a data set is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from detection.numerics.examples import Examples, joined

Texts = NDArray[np.str_]
# What was drawn with a small probability stands for many; beyond this one example would be a training of its own.
MOST_WEIGHT = 20.0


@dataclass(frozen=True)
class Gathered:
    """Examples and, in the same order, where each comes from; "" where that is not known.

    examples : whose `group` is the exposure, or the simulated pair. source : (n,) text, the object in the sky. night,
    camera : (n,) text. origin : (n,) text, how it came to be labelled. key : (n,) text, of the detection or candidate
    in the database. weight : (n,) float32, for how many it stands. part : (n,) text, of `parts.PARTS`; "" before that
    is decided.
    """

    examples: Examples
    source: Texts
    night: Texts
    camera: Texts
    origin: Texts
    key: Texts
    weight: NDArray[np.float32]
    part: Texts

    def __len__(self) -> int:
        return len(self.examples)

    def select(self, chosen: NDArray[np.generic]) -> Gathered:
        """Return the chosen ones, by flags or places."""
        own = {name: getattr(self, name)[chosen] for name in _OWN}
        return Gathered(self.examples.select(chosen), **own)

    def divided(self, part: Texts) -> Gathered:
        """Return the same with the part of each."""
        return replace(self, part=part)


_OWN = tuple(field.name for field in fields(Gathered) if field.name != "examples")
_OF_EXAMPLES = tuple(field.name for field in fields(Examples))


def gathered(examples: Examples, origin: str, **known: Sequence[str] | str | NDArray[np.generic]) -> Gathered:
    """Put examples of one origin together with what is known of them: for each of them, or one value for all.

    Raises
    ------
    ValueError : an unknown column, or one of another length.
    """
    if unknown := set(known) - set(_OWN):
        raise ValueError(f"there is no column {', '.join(sorted(unknown))}")
    count = len(examples)
    weight = np.asarray(known.pop("weight", np.ones(1)), dtype=np.float32)
    values = {"origin": origin} | known
    texts: dict[str, Texts] = {
        name: np.broadcast_to(np.asarray(values.get(name, ""), dtype=np.str_), (count,)).copy()
        for name in _OWN
        if name != "weight"
    }
    return Gathered(examples, weight=np.broadcast_to(weight, (count,)).copy(), **texts)


def together(parts: Sequence[Gathered]) -> Gathered:
    """Put several one after the other. ValueError where there are none."""
    examples = joined([part.examples for part in parts])
    return Gathered(examples, **{name: np.concatenate([getattr(part, name) for part in parts]) for name in _OWN})


def as_columns(of: Gathered) -> dict[str, NDArray[np.generic]]:
    """Return everything as named arrays of one length, as it is kept in a file."""
    return {name: getattr(of.examples, name) for name in _OF_EXAMPLES} | {name: getattr(of, name) for name in _OWN}


def from_columns(columns: Mapping[str, NDArray[np.generic]]) -> Gathered:
    """Return what `as_columns` gave. ValueError where a column is missing, or of another length."""
    wanted = (*_OF_EXAMPLES, *_OWN)
    if missing := [name for name in wanted if name not in columns]:
        raise ValueError(f"the columns {', '.join(missing)} are missing")
    if len({len(columns[name]) for name in wanted}) != 1:
        raise ValueError("the columns are not of one length")
    examples = Examples(**{name: columns[name] for name in _OF_EXAMPLES})  # type: ignore[arg-type]
    return Gathered(examples, **{name: columns[name] for name in _OWN})  # type: ignore[arg-type]


def weight_of(inclusion_probability: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return for how many each stands that was drawn with a probability, (n,) in (0, 1]: 20 at most."""
    return np.minimum(1.0 / np.asarray(inclusion_probability, dtype=np.float64), MOST_WEIGHT).astype(np.float32)
