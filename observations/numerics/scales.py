"""Whether frames show the sky in like pixels: then they are stacked, and compared in counts and pixels."""

from __future__ import annotations

# Optics of one camera wander by some per cent with focus and temperature, and headers round; another binning or another
# camera is at least a quarter off.
TOLERANCE = 0.2


def are_alike(one: float | None, other: float | None) -> bool:
    """Tell whether two pixel scales are one; what is not known is like everything."""
    if not one or not other:
        return True
    return max(one / other, other / one) <= 1.0 + TOLERANCE


def ratio(one: float | None, other: float | None) -> float:
    """Return how many pixels of the other's scale one pixel covers along a side, 1 where either is not known."""
    return one / other if one and other else 1.0
