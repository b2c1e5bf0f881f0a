"""Put point sources into a frame: where, how bright, and with the noise of their own light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from detection.numerics.stamps import STAMP_SIZE_PX
from observations.numerics.frame import BAD_BITS, Frame, PsfFunction, Stars
from preprocessing.numerics.photometry import psf_radius_px
from preprocessing.numerics.stars import point_like

Array = NDArray[np.float64]
# What is cut before it is read: an array, or a file that is mapped.
Plane = NDArray[np.number]

# No cutout shows two of them.
APART_PX = float(STAMP_SIZE_PX)
# Closer to the rim a peak is flagged, and part of its surroundings is missing.
EDGE_PX = 16.0
# Places that are tried for each source before its kind is given up.
_TRIES = 60
# Lengths in FWHM: empty sky has no source of the frame so near; beside a star, in a galaxy (of its own FWHM) within.
_EMPTY_FWHM, _BESIDE_FWHM, _WITHIN_FWHM = 4.0, (0.3, 2.5), 1.5
# From what stands there already, which would blend with it, or which it would be taken for.
_FREE_FWHM = 4.0
# All pixels so near are good, so that no guess stands where the source shall be seen.
_CLEAR_FWHM = 2.0
# Of a star or galaxy beside which one is put: what is fainter is empty sky to whoever looks.
_HOST_SNR = 20.0
# Share of the level at which pixels saturate that the brightest one may reach.
_FILLED = 0.9


class Kind(StrEnum):
    """Where a source is put."""

    SKY = "sky"
    STAR = "star"
    GALAXY = "galaxy"


@dataclass(frozen=True)
class Injected:
    """A source that is put into a frame: its place (0-based px), kind, expected S/N, and flux in the frame's counts."""

    x: float
    y: float
    kind: Kind
    snr: float
    flux: float


@dataclass(frozen=True)
class Ground:
    """What is known of a frame where sources are put.

    bits : (ny, nx) of the difference's mask, 0 = good. flux, score : what the subtraction gave, whose ratio is the
    error of a flux at each pixel. taken : (n, 2) x and y of what stands there already.
    """

    bits: Plane
    flux: Plane
    score: Plane
    taken: Array


def draw_sources(
    frame: Frame, ground: Ground, count: int, snr_range: tuple[float, float], random: np.random.Generator
) -> list[Injected]:
    """Draw where sources are put and how bright they are.

    The S/N is drawn log-uniformly, the kind evenly among those that the frame has. Places are good within 2 FWHM, away
    from the rim and from what is `taken`, and no cutout shows two of them. What would saturate is left out.

    Parameters
    ----------
    frame : preprocessed, with PSF, stars and gain. ground : of its subtraction. count : number of sources wanted.
    snr_range : smallest and largest flux over its error with the source's own noise. random : seeded by the caller.

    Returns
    -------
    At most `count` sources; none where PSF, stars, gain or the level of saturation is not known.
    """
    if frame.psf is None or frame.stars is None or not frame.gain or not frame.saturation:
        return []
    stars = frame.stars
    hosts = _hosts(stars)
    fwhm = 2.0 * psf_radius_px(frame.psf((frame.shape[1] - 1) / 2, (frame.shape[0] - 1) / 2))
    kinds = [kind for kind in Kind if kind == Kind.SKY or len(hosts[kind])]
    drawn: list[Injected] = []
    for _ in range(count):
        kind = kinds[int(random.integers(len(kinds)))]
        snr = float(np.exp(random.uniform(*np.log(snr_range))))
        for _ in range(_TRIES):
            x, y = _place(kind, hosts, fwhm, frame.shape, random)
            is_near = _distance(ground.taken, x, y) < _FREE_FWHM * fwhm or any(
                max(abs(one.x - x), abs(one.y - y)) < APART_PX for one in drawn
            )
            if is_near or not _is_inside(x, y, frame.shape) or not _is_clear(ground.bits, x, y, _CLEAR_FWHM * fwhm):
                continue
            if kind == Kind.SKY and _distance(stars.xy, x, y) < _EMPTY_FWHM * fwhm:
                continue
            window, stamp = source_at(frame.psf, x, y)
            flux = flux_for(snr, _error_at(ground, x, y), stamp, frame.gain)
            inside, there = _inside(window, frame.shape)
            if np.isfinite(flux) and not _saturates(frame.data[inside], flux * stamp[there], frame.saturation):
                drawn.append(Injected(x, y, kind, snr, flux))
                break
    return drawn


def add_sources(frame: Frame, sources: Sequence[Injected], random: np.random.Generator) -> Frame:
    """Return the frame with sources of its own PSF, each with the photon noise of its light; the frame stays as it is.

    frame : with PSF and gain. The light of a pixel is Poisson distributed in electrons, its variance is added to the
    frame's. Raises ValueError where PSF or gain is not known.
    """
    if frame.psf is None or not frame.gain:
        raise ValueError("without a PSF and a gain no source can be put into a frame")
    data = frame.data.copy()
    variance = None if frame.variance is None else frame.variance.copy()
    for one in sources:
        window, stamp = source_at(frame.psf, one.x, one.y)
        light = one.flux * np.maximum(stamp, 0.0)
        inside, there = _inside(window, frame.shape)
        data[inside] += (random.poisson(light[there] * frame.gain) / frame.gain).astype(data.dtype)
        if variance is not None:
            variance[inside] += (light[there] / frame.gain).astype(variance.dtype)
    return replace(frame, data=data, variance=variance)


def source_at(psf: PsfFunction, x: float, y: float) -> tuple[tuple[slice, slice], Array]:
    """Return the window that a source at a position covers, which may reach out, and the PSF moved there, of sum 1."""
    stamp = psf(x, y)
    half = stamp.shape[0] // 2
    row, column = round(y), round(x)
    wide = fft.next_fast_len(stamp.shape[0] + 8, real=True)
    ky, kx = fft.fftfreq(wide)[:, None], fft.rfftfreq(wide)[None, :]
    phase = np.exp(-2j * np.pi * (ky * (y - row) + kx * (x - column)))
    moved = fft.irfft2(fft.rfft2(stamp, s=(wide, wide)) * phase, s=(wide, wide))[: stamp.shape[0], : stamp.shape[1]]
    window = slice(row - half, row + half + 1), slice(column - half, column + half + 1)
    return window, np.asarray(moved / moved.sum(), dtype=np.float64)


def flux_for(snr: float, error: float, stamp: Array, gain: float) -> float:
    """Return the flux whose S/N is this, with the noise of its own light: f² = snr² (error² + q f).

    q = sum(P³) / sum(P²)² / gain is the variance of a matched filter's flux for each count of a source of PSF P.
    error : of the flux where there is no source, counts. gain : electrons per count.
    """
    q = float((stamp**3).sum() / (stamp**2).sum() ** 2 / gain)
    return 0.5 * (snr**2 * q + float(np.sqrt(snr**4 * q**2 + 4.0 * snr**2 * error**2)))


def _hosts(stars: Stars) -> dict[Kind, Array]:
    """Return x, y and FWHM of what stars and galaxies sources may be put beside."""
    usable = ~stars.is_saturated & (stars.flux > _HOST_SNR * stars.flux_error) & np.isfinite(stars.fwhm)
    is_point = point_like(stars)
    columns = np.column_stack([stars.x, stars.y, stars.fwhm])
    return {Kind.STAR: columns[usable & is_point], Kind.GALAXY: columns[usable & ~is_point & stars.is_isolated]}


def _place(
    kind: Kind, hosts: dict[Kind, Array], fwhm: float, shape: tuple[int, int], random: np.random.Generator
) -> tuple[float, float]:
    """Draw a place of a kind: anywhere, or at a distance from one of its hosts."""
    if kind == Kind.SKY:
        return float(random.uniform(0, shape[1] - 1)), float(random.uniform(0, shape[0] - 1))
    x, y, width = hosts[kind][int(random.integers(len(hosts[kind])))]
    near, far = (0.0, _WITHIN_FWHM * width) if kind == Kind.GALAXY else (end * fwhm for end in _BESIDE_FWHM)
    # Even over the area.
    radius, angle = np.sqrt(random.uniform(near**2, far**2)), random.uniform(0.0, 2.0 * np.pi)
    return float(x + radius * np.cos(angle)), float(y + radius * np.sin(angle))


def _is_inside(x: float, y: float, shape: tuple[int, int]) -> bool:
    ny, nx = shape
    return EDGE_PX <= x <= nx - 1 - EDGE_PX and EDGE_PX <= y <= ny - 1 - EDGE_PX


def _is_clear(bits: Plane, x: float, y: float, radius: float) -> bool:
    """Tell whether no pixel within a radius is bad."""
    window, _ = _inside((_span(y, radius), _span(x, radius)), (bits.shape[0], bits.shape[1]))
    return not bool((np.asarray(bits[window], dtype=np.uint16) & BAD_BITS).any())


def _distance(places: Array, x: float, y: float) -> float:
    """Return the distance to the nearest of some places (n, 2); infinite where there is none."""
    return float(np.hypot(*(places.reshape(-1, 2) - [x, y]).T).min(initial=np.inf))


def _error_at(ground: Ground, x: float, y: float) -> float:
    """Return the error of a flux between the four pixels about a place; NaN where it is not known there."""
    window = slice(int(y), int(y) + 2), slice(int(x), int(x) + 2)
    flux, score = (np.asarray(image[window], dtype=np.float64) for image in (ground.flux, ground.score))
    v, u = np.mgrid[window]
    # The score is the flux over its error, which nothing tells where both are 0.
    known = np.isfinite(score) & (np.abs(score) > 1e-3)
    weight = (1.0 - np.abs(u - x)) * (1.0 - np.abs(v - y)) * known
    errors = np.abs(np.divide(flux, score, out=np.zeros_like(flux), where=known))
    return float((weight * errors).sum() / weight.sum()) if weight.sum() > 0.5 else float("nan")


def _saturates(data: NDArray[np.float32], light: Array, level: float) -> bool:
    """Tell whether the brightest pixel would come too near to the level of saturation, or is not known."""
    core = light > 0.3 * light.max()
    return not float((data + light)[core].max(initial=-np.inf)) < _FILLED * level


def _span(middle: float, radius: float) -> slice:
    return slice(round(middle) - int(np.ceil(radius)), round(middle) + int(np.ceil(radius)) + 1)


def _inside(window: tuple[slice, slice], shape: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return the part of a window that lies in an image, and where that part is in the window."""
    (rows, of_rows), (columns, of_columns) = (
        (slice(first, last), slice(first - one.start, last - one.start))
        for one, size in zip(window, shape, strict=True)
        for first, last in [(min(max(one.start, 0), size), max(min(one.stop, size), 0))]
    )
    return (rows, columns), (of_rows, of_columns)
