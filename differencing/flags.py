"""What makes a candidate doubtful, in words."""

from __future__ import annotations

from typing import NamedTuple


class Flag(NamedTuple):
    """What makes a candidate doubtful: its field without `is_`, a word for it, and what it means."""

    name: str
    word: str
    meaning: str


FLAGS = (
    Flag("negative", "negative", "fainter than in the reference"),
    Flag("dipole", "dipole", "positive beside negative: a star that moved, or that was aligned badly"),
    Flag("reference_ghost", "reference ghost", "a source of the reference that moved or faded"),
    Flag("saturated", "saturated", "near saturated pixels: its brightness is uncertain"),
    Flag("blended", "blended", "another change is near"),
    Flag("edge", "edge", "near the frame's edge"),
)
