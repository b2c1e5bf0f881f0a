"""Orbits for tests: drawn as the populations are, and written as the Minor Planet Center writes them."""

from __future__ import annotations

import numpy as np

from detection.numerics.ephemerides.nbody import Apparent, Moment, _angles
from detection.numerics.ephemerides.observer import earth_from_sun, from_centre_au, tdb_of
from detection.numerics.ephemerides.orbits import Orbits, perihelion_time, two_body_states

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
        f"{number:05d}    3.34  0.15 K232P {anomaly_deg:9.5f}   73.42179   80.25496   10.58682  0.0788175  0.21411523"
        f"   2.7670960  {parameter} MPO719049  7283 123 1801-2023 0.65 M-v 30k MPCLINUX   0000"
        f" {name or f'({number}) Test {number}':>27s} 20230620"
    )


def mpcorb_entry(number: int, anomaly_deg: float = 80.0, *, name: str = "") -> dict[str, object]:
    """Return an entry of mpcorb_extended.json that says the same."""
    return {
        "H": 3.34, "G": 0.15, "U": "0", "rms": 0.65, "Epoch": EPOCH_MJD + 2400000.5, "M": anomaly_deg, "Peri": 73.42179,
        "Node": 80.25496, "i": 10.58682, "e": 0.0788175, "n": 0.21411523, "a": 2.767096, "Number": f"({number})",
        "Name": name or f"Test {number}", "Principal_desig": f"1900 A{number}", "Last_obs": "2023-06-20",
    }  # fmt: skip


def comet_line() -> str:
    """Return a line of CometEls.txt, by the published columns, of an epoch of 2023-02-25."""
    return (
        "    CK23A010  2023 04 10.8765  1.234567  1.000123   11.1111  222.2222  133.3333  20230225   8.5  4.0  "
        "C/2023 A1 (Test)                                         MPC 00001"
    )


def looks_of_two_bodies(orbits: Orbits, moments: list[Moment]) -> list[Apparent]:
    """Stand in for the integration of all bodies where that is not installed: without light time, at a fixed rate."""
    looks = []
    for moment in moments:
        time = tdb_of(moment.mjd_utc)
        position, _ = two_body_states(orbits, time)
        line = position - earth_from_sun(time) - from_centre_au(moment.site, moment.mjd_utc)
        ra, dec = _angles(line)
        fixed = np.full(len(orbits), 0.5)
        to_sun, to_earth = np.linalg.norm(position, axis=1), np.linalg.norm(line, axis=1)
        looks.append(Apparent(ra, dec, fixed, 200.0 * fixed, 220.0 * fixed, to_sun, to_earth, 1.0))
    return looks
