"""Comas and trails added to simulated nights: what they are, how they are drawn, and where each is in every frame."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize, signal

from observations.numerics.simulate.nights import Light, Night, NightParameters
from observations.numerics.simulate.pair import move
from observations.numerics.simulate.sources import MoffatPsf

Array = NDArray[np.float64]

KINDS = ("gaussian coma", "cusped coma", "coma with tail", "trail")
# A nucleus's dust thins out as 1 / r until sunlight has pushed it away, at so many times the radius of half its light.
_FADES_AT = 3.0
# Rendered on pixels so many times finer; what is smeared is drawn as steps no longer than this.
_FINER, _STEP_PX = 2, 0.5
_READ_NOISE_E2, _STACK = 81.0, 1.25


@dataclass(frozen=True)
class WideParameters:
    """How many of each kind a night has, and of what.

    rate_arcsec_per_min, snr : ranges, drawn evenly in their logarithms; S/N of a filter of the thing's own shape.
    width : FWHM of comas over the stars', drawn evenly. is_smeared : comas move during the exposure as trails do; if
    not, the telescope has followed each of them.
    """

    each: int = 3
    rate_arcsec_per_min: tuple[float, float] = (0.6, 30.0)
    snr: tuple[float, float] = (10.0, 100.0)
    width: tuple[float, float] = (2.0, 4.0)
    is_smeared: bool = True


@dataclass(frozen=True)
class Wide:
    """One thing that moves: its place in the field's grid in the middle of the night, px per minute, shape, S/N."""

    name: str
    kind: str
    x: float
    y: float
    vx: float
    vy: float
    width: float
    tail_deg: float
    snr: float


@dataclass(frozen=True)
class Shown:
    """Where one thing is in one frame, raw grid; S/N of a filter of its own shape, and of one of a star's."""

    name: str
    x: float
    y: float
    snr: float
    star_snr: float


def draw_wide(p: NightParameters, w: WideParameters, number: int, minutes: float) -> list[Wide]:
    """Draw what moves in one night of so many minutes: all stay inside in every frame, and apart from each other."""
    rng = np.random.default_rng([p.seed, 500 + number])
    found: list[Wide] = []
    margin = p.dither_px + 20.0
    for k in range(w.each * len(KINDS)):
        kind = KINDS[k % len(KINDS)]
        low, high = (math.log(v) for v in w.rate_arcsec_per_min)
        for _ in range(300):
            rate, angle = math.exp(rng.uniform(low, high)) / p.pixel_scale_arcsec, rng.uniform(0.0, 2.0 * math.pi)
            vx, vy = rate * math.cos(angle), rate * math.sin(angle)
            x, y = rng.uniform(0.0, p.size, 2)
            ends = np.array([[x + s * vx * minutes / 2.0, y + s * vy * minutes / 2.0] for s in (-1.0, 0.0, 1.0)])
            if ends.min() < margin or ends.max() > p.size - margin:
                continue
            if all(_apart(ends, other, minutes) for other in found):
                snr = math.exp(rng.uniform(math.log(w.snr[0]), math.log(w.snr[1])))
                width = 1.0 if kind == "trail" else rng.uniform(*w.width)
                name = f"mover{k + 1:03d}"
                found.append(Wide(name, kind, x, y, vx, vy, width, rng.uniform(0.0, 360.0), snr))
                break
    return found


def _apart(ends: Array, other: Wide, minutes: float) -> bool:
    theirs = np.array([[other.x, other.y]]) + np.outer([-1.0, 0.0, 1.0], [other.vx, other.vy]) * minutes / 2.0
    return bool(np.hypot(*(ends - theirs).T).min() > 60.0)


def with_wide(
    night: Night, p: NightParameters, w: WideParameters, things: list[Wide], minutes: float
) -> tuple[Night, dict[str, list[Shown]]]:
    """Return a night with these things in its frames, and what each frame shows."""
    lights, shown = [], {}
    for frame in night.lights:
        data, seen = _with(frame, night, p, w, things, minutes)
        lights.append(replace(frame, data=data))
        shown[f"{frame.name}.fits"] = seen
    return replace(night, lights=tuple(lights)), shown


def _with(
    frame: Light, night: Night, p: NightParameters, w: WideParameters, things: list[Wide], minutes: float
) -> tuple[NDArray[np.uint16], list[Shown]]:
    """Add photons with their noise to a raw frame, as the detector would have counted them."""
    detector, shape = night.detector, frame.data.shape
    rng = np.random.default_rng([p.seed, 600 + night.number, round(frame.mjd_utc * 1440.0)])
    light = np.zeros(shape)
    seen = []
    exposure = p.exposure_s / 60.0
    since = (frame.mjd_utc - night.lights[0].mjd_utc) * 1440.0 + 0.5 * exposure - 0.5 * minutes
    noise = math.sqrt((p.sky_e + _READ_NOISE_E2) * _STACK)
    for thing in things:
        x, y = (float(q[0]) for q in _placed(frame, shape, thing.x + thing.vx * since, thing.y + thing.vy * since))
        ahead = _placed(frame, shape, thing.x + thing.vx * (since + 1.0), thing.y + thing.vy * (since + 1.0))
        line = (float(ahead[0][0] - x), float(ahead[1][0] - y))
        smear = exposure if w.is_smeared or thing.kind == "trail" else 0.0
        stamp, star = _stamp(thing, frame.fwhm_px, (line[0] * smear, line[1] * smear), (x - round(x), y - round(y)))
        # The S/N is that of clear sky: haze takes of it what it takes of stars.
        flux = thing.snr * noise / math.sqrt((stamp**2).sum()) * frame.transparency
        _add(light, flux * stamp, round(x), round(y))
        by_star = float(ndimage.correlate(flux * stamp, star, mode="constant").max())
        by_star /= noise * math.sqrt((star**2).sum())
        seen.append(Shown(thing.name, x, y, thing.snr * frame.transparency, by_star))
    added = rng.poisson(light * detector.response) / detector.gain_e_per_adu
    whole = np.clip(np.rint(frame.data + added), 0.0, detector.saturation_adu)
    return np.where(frame.data >= detector.saturation_adu, frame.data, whole).astype(np.uint16), seen


def _placed(frame: Light, shape: tuple[int, int], x: float, y: float) -> tuple[Array, Array]:
    return move(np.array([x]), np.array([y]), shape, frame.offset_px, frame.rotation_deg)


def _add(image: Array, stamp: Array, column: int, row: int) -> None:
    """Add a square stamp about a pixel; what lies outside is lost."""
    half = stamp.shape[0] // 2
    ys, xs = (np.arange(c - half, c + half + 1) for c in (row, column))
    inside_y, inside_x = (ys >= 0) & (ys < image.shape[0]), (xs >= 0) & (xs < image.shape[1])
    image[np.ix_(ys[inside_y], xs[inside_x])] += stamp[np.ix_(inside_y, inside_x)]


def _stamp(thing: Wide, fwhm: float, line: tuple[float, float], offset: tuple[float, float]) -> tuple[Array, Array]:
    """Return a thing's light, sum 1, moved by a part of a pixel and drawn out along a line, and a star's."""
    half = math.ceil(4.0 * thing.width * fwhm + 0.5 * math.hypot(*line)) + 4
    star = MoffatPsf(fwhm, (1, 1)).stamp(0.0, 0.0, math.ceil(4.0 * fwhm))
    image = np.zeros((2 * half + 1, 2 * half + 1))
    image[half, half] = 1.0
    if thing.kind != "trail":
        image = _coma(thing, fwhm, half)
    image = signal.fftconvolve(image, star / star.sum(), mode="same")
    steps = max(1, math.ceil(math.hypot(*line) / _STEP_PX))
    at = (np.arange(steps) + 0.5) / steps - 0.5
    drawn = sum(ndimage.shift(image, (offset[1] + t * line[1], offset[0] + t * line[0]), order=3) for t in at)
    drawn = np.maximum(np.asarray(drawn), 0.0)
    return drawn / drawn.sum(), star


def _coma(thing: Wide, fwhm: float, half: int) -> Array:
    """Return a coma before the air blurs it, as wide as makes it `width` times a star's FWHM afterwards."""
    wanted = fwhm * thing.width

    def wide(radius: float) -> float:
        blurred = ndimage.gaussian_filter(_profile(thing, radius, half), fwhm / 2.3548)
        return 2.0 * math.sqrt(np.count_nonzero(blurred > 0.5 * blurred.max()) / math.pi) - wanted

    if wide(8.0 * wanted) < 0.0:
        return _profile(thing, 8.0 * wanted, half)
    return _profile(thing, float(optimize.brentq(wide, 0.05, 8.0 * wanted, xtol=0.05)), half)


def _profile(thing: Wide, radius: float, half: int) -> Array:
    """Return a coma of one size on the pixels of a square; the nucleus stays in the middle."""
    fine = (np.arange((2 * half + 1) * _FINER) + 0.5) / _FINER - half - 0.5
    v, u = fine[:, None], fine[None, :]
    r = np.hypot(u, v)
    if thing.kind == "gaussian coma":
        image = np.exp(-0.5 * (r / radius) ** 2)
    else:
        image = np.exp(-r / (_FADES_AT * radius)) / np.maximum(r, 0.35)
    if thing.kind == "coma with tail":
        angle = math.radians(thing.tail_deg)
        along, across = u * math.cos(angle) + v * math.sin(angle), v * math.cos(angle) - u * math.sin(angle)
        spread = 0.5 * radius + 0.25 * np.maximum(along, 0.0)
        image = image + np.where(along > 0.0, np.exp(-along / (4.0 * radius) - 0.5 * (across / spread) ** 2), 0.0) / (
            4.0 * radius
        )
    binned: Array = image.reshape(2 * half + 1, _FINER, 2 * half + 1, _FINER).sum(axis=(1, 3))
    return binned / binned.sum()


def minutes_of(night: Night, p: NightParameters) -> float:
    """Return the minutes from the first exposure's beginning to the last one's end."""
    return (night.lights[-1].mjd_utc - night.lights[0].mjd_utc) * 1440.0 + p.exposure_s / 60.0


def rate_of(thing: Wide, p: NightParameters) -> float:
    """Return arcseconds per minute."""
    return math.hypot(thing.vx, thing.vy) * p.pixel_scale_arcsec
