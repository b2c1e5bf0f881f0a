"""Orbits for tests: drawn as the populations are, and written as the Minor Planet Center writes them."""

from __future__ import annotations

import numpy as np

from detection.numerics.ephemerides.orbits import Orbits, perihelion_time

EPOCH_MJD = 60000.0


def drawn(
    count: int, seed: int, *, perihelion_au: tuple[float, float] = (1.9, 2.9), most_eccentric: float = 0.3
) -> Orbits:
    """Return orbits of one epoch, of the main belt unless told otherwise."""
    random = np.random.default_rng(seed)
    q, e = random.uniform(*perihelion_au, count), random.uniform(0.0, most_eccentric, count)
    epoch = np.full(count, EPOCH_MJD)
    time = perihelion_time(random.uniform(0.0, 360.0, count), q / (1.0 - e), epoch)
    angles = (random.uniform(0.0, high, count) for high in (30.0, 360.0, 360.0))
    return Orbits(q, e, *angles, time, epoch)


def mpcorb_line(number: int, anomaly_deg: float = 80.0, *, name: str = "", parameter: str = "0") -> str:
    """Return a line of MPCORB.DAT of a body whose epoch is 2023-02-25 (EPOCH_MJD), by the published columns."""
    return (
        f"{number:05d}   3.34  0.15 K232P {anomaly_deg:9.5f}   73.42179   80.25496   10.58682  0.0788175  0.21411523"
        f"   2.7670960  {parameter} MPO719049  7283 123 1801-2023 0.65 M-v 30k MPCLINUX   0000"
        f" {name or f'({number}) Test {number}':>27s} 20230620"
    )
