"""How bright a body of the Solar System is, by its absolute magnitude."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Slope of the phase function where none was measured (IAU 1985).
USUAL_SLOPE = 0.15


def asteroid_mag(h_mag: Floats, slope: Floats, to_sun_au: Floats, to_earth_au: Floats, sun_earth_au: float) -> Floats:
    """Return V magnitudes by absolute magnitude and slope; NaN where the absolute magnitude is NaN.

        V = H + 5 log(r Δ) - 2.5 log((1 - G) Φ1 + G Φ2),   Φi = exp(-Ai tan(α/2)^Bi)

    with α the phase angle and G .15 where it is NaN (Bowell et al. 1989, Asteroids II, 524). Good to .3 mag, and worse
    beyond 120 degrees of phase.

    Parameters
    ----------
    h_mag, slope, to_sun_au, to_earth_au : (n,). sun_earth_au : the third side of the triangle.
    """
    cosine = (to_sun_au**2 + to_earth_au**2 - sun_earth_au**2) / (2.0 * to_sun_au * to_earth_au)
    half = np.tan(np.arccos(np.clip(cosine, -1.0, 1.0)) / 2.0)
    slope = np.where(np.isfinite(slope), slope, USUAL_SLOPE)
    phase = (1.0 - slope) * np.exp(-3.33 * half**0.63) + slope * np.exp(-1.87 * half**1.22)
    # A slope beyond what is physical would turn the light negative.
    dimming = -2.5 * np.log10(np.maximum(phase, 1e-6))
    return np.asarray(h_mag + 5.0 * np.log10(to_sun_au * to_earth_au) + dimming, dtype=np.float64)


def comet_mag(total_mag: Floats, slope: Floats, to_sun_au: Floats, to_earth_au: Floats) -> Floats:
    """Return total magnitudes of comets, m = M1 + 5 log Δ + 2.5 K log r with K 4 where it is NaN: a rough guess."""
    slope = np.where(np.isfinite(slope), slope, 4.0)
    return np.asarray(total_mag + 5.0 * np.log10(to_earth_au) + 2.5 * slope * np.log10(to_sun_au), dtype=np.float64)
