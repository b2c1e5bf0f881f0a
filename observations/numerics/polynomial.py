"""The terms of polynomials in two variables, in the order that every stored coefficient follows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def powers(degree: int) -> list[tuple[int, int]]:
    """Return the exponents (i, j) of u^i v^j up to a total degree: 1, u, v, u², uv, v², …"""
    return [(total - j, j) for total in range(degree + 1) for j in range(total + 1)]


def terms(u: NDArray[np.float64], v: NDArray[np.float64], degree: int) -> NDArray[np.float64]:
    """Evaluate the terms of a polynomial.

    Parameters
    ----------
    u, v : arrays of one shape; to be of order 1, so that the terms are of like size.
    degree : highest total power, 0 or more.

    Returns
    -------
    Array of the shape of `u` and one more axis: 1, u, v, u², uv, v², …
    """
    return np.stack([u**i * v**j for i, j in powers(degree)], axis=-1)
