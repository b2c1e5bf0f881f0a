"""HEALPix, nested: the index of a position and the index ranges that cover a cone.

Source: Górski et al. 2005, ApJ 622, 759, doi:10.1086/427976, sections 4 and 5. Angles near the poles are carried as
colatitudes (not as z = cos θ), so that cells of 0.4 milliarcseconds keep their place there.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from observations.numerics.sphere import separation_deg

# Cells of order 29 are 0.4 milliarcseconds wide; it is the deepest order that fits a signed 64-bit index.
DEEPEST_ORDER = 29
# Square root of the area of an order-0 cell: sqrt(4π sr / 12), in degrees.
_ORDER_0_CELL_DEG = 58.6323
_ARCSEC_PER_DEG = 3600.0

# Vertical and horizontal place of each base cell: rings from the north pole and eighths of a turn (the paper's fig. 4).
_BASE_RING = np.array([2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4])
_BASE_EIGHTH = np.array([1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7])

Index = NDArray[np.int64]
_Cells = tuple[Index, Index, Index]


def position_index(ra_deg: ArrayLike, dec_deg: ArrayLike, *, order: int = DEEPEST_ORDER) -> Index:
    """Return the nested HEALPix index of positions.

    Right ascension may lie outside [0, 360); a position on the border of two cells belongs to either.

    Parameters
    ----------
    ra_deg, dec_deg : array_like, any common shape
        ICRS degrees.
    order : int
        Depth of the grid, 0 to 29.

    Returns
    -------
    ndarray of int64, the same shape

    Raises
    ------
    ValueError
        For NaN, infinities, or a declination outside [-90, 90].
    """
    ra = np.asarray(ra_deg, dtype=np.float64)
    dec = np.asarray(dec_deg, dtype=np.float64)
    if not (np.isfinite(ra).all() and (np.abs(dec) <= 90.0).all()):
        raise ValueError("a position needs a finite right ascension and a declination within 90 degrees")
    face, x, y = _cells_of(ra, dec, order)
    return (face << 2 * order) | _spread(x) | _spread(y) << 1


def cone_ranges(ra_deg: float, dec_deg: float, radius_arcsec: float) -> tuple[list[int], list[int]]:
    """Return the ranges of order-29 indices that hold every position of a cone.

    The ranges also hold positions around the cone: an exact test has to follow. Descends from the twelve base cells,
    keeping the cells whose centre is nearer than the radius plus a cell's largest half-width.

    Parameters
    ----------
    ra_deg, dec_deg : float
        Centre, ICRS degrees.
    radius_arcsec : float
        0 to 180 degrees.

    Returns
    -------
    first, past : list of int
        Sorted, disjoint ranges first ≤ index < past.

    Raises
    ------
    ValueError
        For a centre that is no position, or a radius that is NaN, negative or above 180 degrees.
    """
    if not 0.0 <= radius_arcsec <= 180.0 * _ARCSEC_PER_DEG:
        raise ValueError("a cone's radius lies between 0 and 180 degrees")
    if not (math.isfinite(ra_deg) and abs(dec_deg) <= 90.0):
        raise ValueError("a position needs a finite right ascension and a declination within 90 degrees")
    radius_deg = radius_arcsec / _ARCSEC_PER_DEG
    deepest = _cone_order(radius_deg)
    face, x, y = np.arange(12), np.zeros(12, np.int64), np.zeros(12, np.int64)
    for order in range(deepest + 1):
        if order:
            face, x, y = _children(face, x, y)
        if (deepest - order) % 2:
            # Sixteen times the cells at every second order cost less than sorting out at every order.
            continue
        ra, dec = _centres(face, x, y, order)
        reach = radius_deg + _largest_half_width_deg(order)
        near = separation_deg(ra, dec, ra_deg, dec_deg) <= reach
        face, x, y = face[near], x[near], y[near]
    return _merged((face << 2 * deepest) | _spread(x) | _spread(y) << 1, deepest)


def _cone_order(radius_deg: float) -> int:
    """Return the order whose cells are about as wide as the radius: a few of them cover the cone."""
    if radius_deg <= 0.0:
        return DEEPEST_ORDER
    return min(max(math.floor(math.log2(_ORDER_0_CELL_DEG / radius_deg)), 0), DEEPEST_ORDER)


def _cells_of(ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64], order: int) -> _Cells:
    """Return base cell and place in it (x north-east, y north-west) of positions: the paper's section 4.1."""
    side = 1 << order
    quarter = np.mod(ra_deg, 360.0) / 90.0
    # A tiny negative right ascension rounds up to 360 itself.
    quarter = np.where(quarter >= 4.0, 0.0, quarter)
    z = np.sin(np.radians(dec_deg))
    # Equatorial belt: lines of constant x and y are straight in (right ascension, z).
    rising = np.floor(side * (0.5 + quarter - 0.75 * z)).astype(np.int64)
    falling = np.floor(side * (0.5 + quarter + 0.75 * z)).astype(np.int64)
    base_rising, base_falling = rising >> order, falling >> order
    face_belt = np.where(
        base_rising == base_falling,
        base_rising | 4,
        np.where(base_rising < base_falling, base_rising, base_falling + 8),
    )
    x_belt, y_belt = falling & (side - 1), side - 1 - (rising & (side - 1))
    # Polar caps: sqrt(3 (1 - |z|)) = sqrt(6) sin(colatitude / 2), without the loss of 1 - |z|.
    cap = np.minimum(quarter.astype(np.int64), 3)
    along = quarter - cap
    from_pole = side * math.sqrt(6.0) * np.sin(np.radians(90.0 - np.abs(dec_deg)) / 2.0)
    right = np.minimum((along * from_pole).astype(np.int64), side - 1)
    left = np.minimum(((1.0 - along) * from_pole).astype(np.int64), side - 1)
    north = z > 0.0
    in_cap = np.abs(z) > 2.0 / 3.0
    face = np.where(in_cap, np.where(north, cap, cap + 8), face_belt)
    x = np.where(in_cap, np.where(north, side - 1 - left, right), x_belt)
    y = np.where(in_cap, np.where(north, side - 1 - right, left), y_belt)
    return face, x, y


def _centres(face: Index, x: Index, y: Index, order: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return right ascension and declination of cell centres, degrees: the paper's section 4.1 backwards."""
    side = 1 << order
    ring = (_BASE_RING[face] << order) - x - y - 1
    from_pole = np.minimum(np.minimum(ring, 4 * side - ring), side)
    eighths = (_BASE_EIGHTH[face] * from_pole + x - y) / from_pole
    dec_cap = 90.0 - np.degrees(2.0 * np.arcsin(from_pole / (side * math.sqrt(6.0))))
    dec_belt = np.degrees(np.arcsin(np.clip((2 * side - ring) * (2.0 / 3.0) / side, -2.0 / 3.0, 2.0 / 3.0)))
    dec = np.where(ring < side, dec_cap, np.where(ring > 3 * side, -dec_cap, dec_belt))
    return 45.0 * eighths, dec


def _children(face: Index, x: Index, y: Index) -> _Cells:
    """Return the four cells of the next order in each cell."""
    dx, dy = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    return (
        np.repeat(face, 4),
        (2 * x[:, None] + dx).ravel(),
        (2 * y[:, None] + dy).ravel(),
    )


def _largest_half_width_deg(order: int) -> float:
    """Return the largest distance from a cell's centre to its corner (HEALPix library, `max_pixrad`), degrees."""
    side = 1 << order
    # The widest cell ends at the border of belt and cap: from (z = 2/3, azimuth π / 4 side) to the corner above it.
    low = math.asin(2.0 / 3.0)
    high = math.pi / 2.0 - 2.0 * math.asin((1.0 - 1.0 / side) / math.sqrt(6.0))
    haversine = math.sin((high - low) / 2.0) ** 2
    haversine += math.cos(high) * math.cos(low) * math.sin(math.pi / (8.0 * side)) ** 2
    # One part in 10⁹ and 10⁻¹² degrees more, for the rounding of the centres.
    return math.degrees(2.0 * math.asin(math.sqrt(haversine))) * (1.0 + 1e-9) + 1e-12


def _spread(number: Index) -> Index:
    """Put the bits of numbers below 2²⁹ on the even places."""
    bits = number.astype(np.int64)
    for shift, keep in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    ):
        bits = (bits | bits << shift) & keep
    return bits


def _merged(cells: Index, order: int) -> tuple[list[int], list[int]]:
    """Return the order-29 ranges of cells, neighbours in number joined."""
    cells = np.sort(cells)
    starts = np.concatenate([[True], np.diff(cells) > 1])
    ends = np.concatenate([starts[1:], [True]])
    depth = 2 * (DEEPEST_ORDER - order)
    return (cells[starts] << depth).tolist(), ((cells[ends] + 1) << depth).tolist()
