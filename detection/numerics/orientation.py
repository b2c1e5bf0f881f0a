"""How a cutout is turned so that pixels stay pixels and north is as near to up as can be."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    """How a cutout is brought north up, east left; `north_deg` is where north is then, from up towards the left."""

    is_flipped: bool = False
    quarter_turns: int = 0
    north_deg: float | None = None


def turn_to_north_up(north: tuple[float, float], east: tuple[float, float]) -> Turn:
    """Return the flip and the quarter turns that bring north nearest to up and east to the left.

    north, east : the directions' pixel vectors (x, y), y up.
    """
    is_flipped = north[0] * east[1] - north[1] * east[0] < 0
    x, y = (-north[0] if is_flipped else north[0]), north[1]
    quarter_turns = 0
    while not abs(x) <= y:
        # numpy's rot90 of an image whose first row is at the bottom turns it clockwise.
        x, y, quarter_turns = y, -x, quarter_turns + 1
        if quarter_turns == 4:
            raise ValueError("north has no direction")
    return Turn(is_flipped, quarter_turns, math.degrees(math.atan2(-x, y)))
