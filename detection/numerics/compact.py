"""Stamps in a quarter of the bytes, for the golden set that comes with the code."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detection.numerics.gathered import Gathered
from detection.numerics.measured import SNR_FROM

# Codes a sigma of the sky: seven steps are far finer than its noise, and what is bright is known to a seventh.
_STEPS = 7.0
_UNKNOWN = np.int8(-128)


def coded(stamps: NDArray[np.floating]) -> NDArray[np.int8]:
    """Return standardised stamps as codes: round(7 asinh(value)), -128 where unknown. What is beyond 4e7 is cut."""
    codes = np.clip(np.rint(_STEPS * np.arcsinh(stamps.astype(np.float64))), -127, 127)
    return np.where(np.isfinite(stamps), codes, _UNKNOWN).astype(np.int8)


def decoded(codes: NDArray[np.int8]) -> NDArray[np.float16]:
    """Return what `coded` was given, to half a step."""
    values = np.clip(np.sinh(codes.astype(np.float64) / _STEPS), -6e4, 6e4)
    return np.where(codes == _UNKNOWN, np.nan, values).astype(np.float16)


def chosen_evenly(of: Gathered, count: int, *, seed: int = 1) -> Gathered:
    """Return so many examples, as many of each class, kind and range of S/N as there are, one after the other."""
    rng = np.random.default_rng([seed, 9])
    own = of.examples
    ranges = np.digitize(np.nan_to_num(own.snr), SNR_FROM[1:-1])
    kinds = np.unique(own.kind, return_inverse=True)[1]
    places: list[int] = []
    for is_real in (True, False):
        strata = [
            rng.permutation(np.flatnonzero((own.is_real == is_real) & (kinds == kind) & (ranges == number))).tolist()
            for kind in np.unique(kinds)
            for number in np.unique(ranges)
        ]
        drawn: list[int] = []
        while len(drawn) < count // 2 and any(strata):
            drawn += [stratum.pop() for stratum in strata if stratum]
        places += drawn[: count // 2]
    return of.select(np.array(sorted(places), dtype=np.int64))


def simulated_cameras(fwhm_px: NDArray[np.floating]) -> NDArray[np.str_]:
    """Name simulated instruments by how they sample their stars, which is what tells cameras apart for a network."""
    names = np.array(["simulated, undersampled", "simulated, well sampled", "simulated, wide stars"])
    return names[np.digitize(fwhm_px, [2.3, 4.0])]
