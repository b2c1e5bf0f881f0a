"""The TNX world coordinates of IRAF: a tangent plane with polynomials in WAT cards, which wcslib does not read."""

from __future__ import annotations

import re

import numpy as np
from astropy.io import fits
from numpy.polynomial import chebyshev, legendre, polynomial
from numpy.typing import NDArray

_SURFACES = {1: chebyshev.chebval2d, 2: legendre.legval2d, 3: polynomial.polyval2d}
# Which products of powers a surface has: none but the pure ones, all, or those up to the larger order.
_PURE, _FULL, _HALF = 0, 1, 2


class UnreadableSurface(ValueError):
    """The WAT cards hold no surface that can be evaluated."""


def tangent_plane_shift(
    header: fits.Header, xi_deg: NDArray[np.float64], eta_deg: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what the surfaces `lngcor` and `latcor` add to tangent-plane coordinates, degrees.

    Source: the description of the TNX system in the documentation of IRAF's package NOAO (TNX World Coordinate
    System). Raises UnreadableSurface.
    """
    return tuple(_Surface(header, axis)(xi_deg, eta_deg) for axis in (1, 2))  # type: ignore[return-value]


class _Surface:
    """One axis' polynomial in tangent-plane coordinates."""

    def __init__(self, header: fits.Header, axis: int) -> None:
        cards = sorted(key for key in header if re.fullmatch(rf"WAT{axis}_\d{{3}}", key))
        # Cards are cut at 68 characters, blanks at the end included, which FITS does not keep.
        text = "".join(str(header[key]).ljust(68) for key in cards)
        found = re.search(r"(?:lng|lat)cor\s*=\s*\"([^\"]*)\"?", text)
        self.coefficients: NDArray[np.float64] | None = None
        if found is None:
            return
        try:
            numbers = [float(word) for word in found[1].split()]
            kind, x_order, y_order, cross = (int(number) for number in numbers[:4])
        except ValueError as error:
            raise UnreadableSurface(f"WAT{axis}: {error}") from error
        powers = [
            (i, j)
            for j in range(y_order)
            for i in range(x_order)
            if cross == _FULL or i == 0 or j == 0 or (cross == _HALF and i + j < max(x_order, y_order))
        ]
        powers = powers if cross != _PURE else [(i, j) for i, j in powers if i == 0 or j == 0]
        values = numbers[8:]
        if kind not in _SURFACES or len(values) < len(powers):
            raise UnreadableSurface(f"WAT{axis} holds {len(values)} coefficients where {len(powers)} are needed")
        self.evaluate, self.is_normalised = _SURFACES[kind], kind != 3
        self.bounds = numbers[4:8]
        self.coefficients = np.zeros((x_order, y_order))
        for (i, j), value in zip(powers, values, strict=False):
            self.coefficients[i, j] = value

    def __call__(self, xi: NDArray[np.float64], eta: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.coefficients is None:
            return np.zeros_like(xi)
        if self.is_normalised:
            low_x, high_x, low_y, high_y = self.bounds
            xi = (2 * xi - (high_x + low_x)) / (high_x - low_x)
            eta = (2 * eta - (high_y + low_y)) / (high_y - low_y)
        return np.asarray(self.evaluate(xi, eta, self.coefficients))
