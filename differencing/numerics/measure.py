"""Measure what stands at each peak of a difference, and say what kind of trouble it may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from differencing.numerics.difference import Difference
from differencing.numerics.noise import sigma_of_good
from differencing.numerics.peaks import Peaks, fwhm_of
from differencing.numerics.positions import at_flux_extremum, position_errors_px
from differencing.numerics.profiles import Peak, Scene
from differencing.numerics.trailed import ELONGATED_SIGMA, Trails, fit_trail, no_trails
from differencing.numerics.wide import WIDEST, Comas, fit_coma, no_comas
from observations.numerics.frame import Frame, MaskBit
from observations.numerics.statistics import FWHM_PER_SIGMA
from preprocessing.numerics.photometry import filter_fluxes

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

# What moments make narrower than so many FWHM of a star is no coma.
_PERHAPS_WIDE = 1.15
# Peaks of one frame that are fitted as trails, or as comas, the strongest first: a galaxy's core that is badly
# subtracted breaks into hundreds, each of which takes as long as a frame.
_MOST_FITTED = 40


@dataclass(frozen=True)
class MeasureParameters:
    """Limits of the flags; lengths in units of the FWHM unless said otherwise.

    edge_px : closer to the frame's end a kernel of the usual size is cut.
    ghost_share : a negative peak where the science frame keeps less than this share of the reference's flux is
        a source of the reference that left or faded away.
    dipole_floor_px : displacement of a static star that is always explained (proper motion, refraction).
    """

    core_fwhm: float = 1.0
    blend_fwhm: float = 2.0
    dipole_fwhm: float = 2.5
    edge_px: float = 10.0
    ghost_share: float = 0.25
    dipole_floor_px: float = 0.15


@dataclass(frozen=True)
class Measurements:
    """One entry per peak: positions in pixels, fluxes in science counts, angles in degrees from +x to +y.

    position_error : 1 sigma in one axis, px; of a trail's middle, along the trail. trails : what moved during the
    exposure. comas : what is round and wider than a star. flux, snr and fwhm are those by a star's profile and by
    moments, whatever it is.
    """

    x: Array
    y: Array
    position_error: Array
    significance: Array
    flux: Array
    flux_error: Array
    snr: Array
    fwhm: Array
    ellipticity: Array
    theta_deg: Array
    masked_share: Array
    is_negative: Flags
    is_saturated: Flags
    is_blended: Flags
    is_edge: Flags
    is_dipole: Flags
    is_reference_ghost: Flags
    trails: Trails
    comas: Comas

    def __len__(self) -> int:
        return len(self.x)


def measure(
    difference: Difference, peaks: Peaks, science: Frame, *, parameters: MeasureParameters | None = None
) -> Measurements:
    """Measure flux, shape and flags of every peak.

    Position and flux are those of the extremum of the PSF flux (the matched filter is the PSF fit); its error holds
    the noise of sky, of the source itself, of registration and model.
    A shape whose Gaussian-weighted moments are not positive is NaN. A dipole is a pair of opposite peaks on a
    star that both frames hold, of an amplitude which a displacement within four times the registration's
    residual explains; a moving object of any speed is none, because no star stays where it was. What is longer than
    its noise allows is fitted as a trail (see `fit_trail`), and then its place is the trail's middle; what is wider, as
    a coma (see `fit_coma`), and then its place is that of a profile as wide.

    Parameters
    ----------
    difference : result of `zogy.subtract`. peaks : result of `peaks.find`. science : the frame subtracted from.

    Returns
    -------
    Measurements in the order of `peaks`.

    Raises
    ------
    ValueError : the scatter of the registration is not known, without which no dipole can be told.
    """
    if not np.isfinite(difference.diagnostics.registration_rms_px):
        raise ValueError("the scatter of the registration is not known: no dipole can be told from a transient")
    p = parameters or MeasureParameters()
    peaks = at_flux_extremum(difference, peaks)
    x, y = peaks.x, peaks.y
    fwhm_psf = np.array([fwhm_of(difference.psf_science(a, b)) for a, b in zip(x, y, strict=True)])
    flux, error = _flux_at_extremum(difference, x, y)
    fwhm, ellipticity, theta = _shapes(difference, peaks, fwhm_psf)
    in_science = filter_fluxes(difference.science, None, difference.psf_science, x, y)[0]
    in_reference = filter_fluxes(difference.reference, None, difference.psf_reference, x, y)[0]
    trails = _trails(difference, science, (x, y, flux, flux / error), (fwhm, ellipticity, theta), fwhm_psf)
    is_trail = np.isfinite(trails.length_px)
    comas = _comas(difference, science, (x, y, flux, error), np.where(is_trail, 0.0, fwhm / fwhm_psf), fwhm_psf)
    is_coma = np.isfinite(comas.fwhm)
    errors = position_errors_px(difference, x, y, flux / error)
    return Measurements(
        x=np.select([is_trail, is_coma], [trails.x, comas.x], x),
        y=np.select([is_trail, is_coma], [trails.y, comas.y], y),
        # Both ends of a trail have the same error: its middle has half of its length's.
        position_error=np.select(
            [is_trail, is_coma], [np.hypot(errors, trails.length_error_px / 2.0), comas.position_error], errors
        ),
        significance=peaks.score,
        flux=flux,
        flux_error=error,
        snr=flux / error,
        fwhm=fwhm,
        ellipticity=ellipticity,
        theta_deg=theta,
        masked_share=_share(difference.mask, x, y, p.core_fwhm * fwhm_psf),
        is_negative=peaks.is_negative,
        is_saturated=_near_bit(science, MaskBit.SATURATED, x, y, p.blend_fwhm * fwhm_psf),
        is_blended=_crowded(x, y, p.blend_fwhm * fwhm_psf),
        is_edge=_near_edge(science, x, y, p.edge_px),
        is_dipole=_dipoles(difference, peaks, flux, fwhm_psf, p),
        is_reference_ghost=peaks.is_negative
        & (in_science < np.maximum(p.ghost_share * in_reference, 3.0 * error))
        & (in_reference > 0),
        trails=trails,
        comas=comas,
    )


def _trails(
    difference: Difference, science: Frame, seen: tuple[Array, ...], shape: tuple[Array, ...], fwhm_psf: Array
) -> Trails:
    """Fit a trail to every positive peak that is elongated beyond its noise; `seen` is x, y, flux, S/N."""
    x, y, flux, snr = seen
    out = no_trails(len(x))
    # Of what is far wider across than any coma nothing is a trail.
    is_patch = shape[0] * np.sqrt(1.0 - shape[1]) > WIDEST * fwhm_psf
    worth = _strongest((snr * shape[1] > ELONGATED_SIGMA) & ~is_patch, snr)
    if len(worth) == 0:
        return out
    image = difference.difference
    scene = Scene(image, difference.mask, sigma_of_good(image, difference.mask), science.gain)
    for k in worth:
        peak = Peak(x[k], y[k], flux[k], *(float(each[k]) for each in shape))
        _put(out, k, fit_trail(scene, peak, difference.psf_d(x[k], y[k]), float(fwhm_psf[k])))
    return out


def _comas(difference: Difference, science: Frame, seen: tuple[Array, ...], width: Array, fwhm_psf: Array) -> Comas:
    """Fit a coma to every positive peak that may be wider than a star; `seen` is x, y, flux, its error.

    width : FWHM by moments over the star's; NaN where they describe no ellipse.
    """
    x, y, flux, error = seen
    out = no_comas(len(x))
    worth = _strongest((flux > 0.0) & ~(width < _PERHAPS_WIDE) & ~(width > WIDEST), flux / error)
    if len(worth) == 0:
        return out
    image = difference.difference
    sigma = sigma_of_good(image, difference.mask)
    usual = float(np.median(difference.flux_error[::8, ::8][~difference.mask[::8, ::8]]))
    for k in worth:
        # Where registration and model make the noise higher, they would be taken for a source's width.
        noise = sigma * max(1.0, float(error[k]) / usual)
        peak = Peak(x[k], y[k], flux[k], fwhm_psf[k], 0.0, 0.0)
        scene = Scene(image, difference.mask, noise, science.gain)
        _put(out, k, fit_coma(scene, peak, difference.psf_d(x[k], y[k]), float(fwhm_psf[k])))
    return out


def _put(out: Trails | Comas, k: int, found: tuple[float, ...] | None) -> None:
    """Enter the numbers of one fit, in the order of the fields; nothing where there was none."""
    if found is not None:
        for name, value in zip(vars(out), found, strict=True):
            getattr(out, name)[k] = value


def _strongest(which: Flags, snr: Array) -> NDArray[np.intp]:
    """Return the strongest of some peaks, as many as are worth the time."""
    chosen: NDArray[np.intp] = np.flatnonzero(which)
    return chosen[np.argsort(-snr[chosen], kind="stable")[:_MOST_FITTED]]


def _flux_at_extremum(difference: Difference, x: Array, y: Array) -> tuple[Array, Array]:
    """Interpolate flux and error images at sub-pixel positions by cubic splines on small windows."""
    flux, error = np.full(len(x), np.nan), np.full(len(x), np.nan)
    ny, nx = difference.flux.shape
    for k, (a, b) in enumerate(zip(x, y, strict=True)):
        row, column = round(b), round(a)
        ys, xs = slice(max(0, row - 4), min(ny, row + 5)), slice(max(0, column - 4), min(nx, column + 5))
        at = [[b - ys.start], [a - xs.start]]
        flux[k] = ndimage.map_coordinates(difference.flux[ys, xs].astype(float), at, order=3, mode="nearest")[0]
        error[k] = ndimage.map_coordinates(difference.flux_error[ys, xs].astype(float), at, order=1, mode="nearest")[0]
    return flux, error


def _shapes(difference: Difference, peaks: Peaks, fwhm_psf: Array) -> tuple[Array, Array, Array]:
    """Return FWHM (px), ellipticity 1 - b/a and major-axis angle from Gaussian-weighted moments of D."""
    out = np.full((3, len(peaks)), np.nan)
    for k in range(len(peaks)):
        sigma_w = 1.5 * fwhm_psf[k] / FWHM_PER_SIGMA  # a weight wider than the PSF keeps the correction below small
        radius = int(np.ceil(3.0 * sigma_w))
        row, column = round(peaks.y[k]), round(peaks.x[k])
        ys, xs = slice(max(0, row - radius), row + radius + 1), slice(max(0, column - radius), column + radius + 1)
        cut = difference.difference[ys, xs].astype(np.float64) * (-1.0 if peaks.is_negative[k] else 1.0)
        cut[difference.mask[ys, xs]] = 0.0
        v, u = np.indices(cut.shape, dtype=np.float64)
        u, v = u + xs.start - peaks.x[k], v + ys.start - peaks.y[k]
        weighted = cut * np.exp(-0.5 * (u**2 + v**2) / sigma_w**2)
        out[:, k] = _ellipse(weighted, u, v, sigma_w)
    return out[0], out[1], out[2]


def _ellipse(weighted: Array, u: Array, v: Array, sigma_w: float) -> tuple[float, float, float]:
    """Turn weighted moments into FWHM, ellipticity and angle; NaN where they describe no ellipse."""
    nothing = (float("nan"),) * 3
    total = float(weighted.sum())
    if total <= 0.0:
        return nothing
    xx, yy, xy = (float((weighted * q).sum() / total) for q in (u * u, v * v, u * v))
    moments = np.array([[xx, xy], [xy, yy]])
    # A Gaussian weight W turns a Gaussian of covariance C into (C^-1 + W^-1)^-1, which is undone here.
    try:
        covariance = np.linalg.inv(np.linalg.inv(moments) - np.eye(2) / sigma_w**2)
    except np.linalg.LinAlgError:
        return nothing
    values, vectors = np.linalg.eigh(covariance)
    if values[0] <= 0.0 or not np.isfinite(values).all() or values[1] > (20.0 * sigma_w) ** 2:
        return nothing
    a, b = np.sqrt(values[1]), np.sqrt(values[0])
    angle = float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])) % 180.0)
    return float(FWHM_PER_SIGMA * np.sqrt(a * b)), float(1.0 - b / a), angle


def _disc(shape: tuple[int, int], x: float, y: float, radius: float) -> tuple[tuple[slice, slice], Flags]:
    """Return a window and the disc of `radius` px around (x, y) within it."""
    reach = int(np.ceil(radius))
    row, column = round(y), round(x)
    ys = slice(max(0, row - reach), min(shape[0], row + reach + 1))
    xs = slice(max(0, column - reach), min(shape[1], column + reach + 1))
    v, u = np.mgrid[ys, xs]
    return (ys, xs), (u - x) ** 2 + (v - y) ** 2 <= max(radius, 1.0) ** 2


def _share(mask: Flags | NDArray[np.uint16], x: Array, y: Array, radius: Array, bits: int = 1) -> Array:
    """Return the share of masked pixels within `radius` of each position, or of those that have one of some bits."""
    out = np.zeros(len(x))
    for k in range(len(x)):
        window, disc = _disc(mask.shape, x[k], y[k], float(radius[k]))
        out[k] = float(((mask[window][disc] & bits) != 0).mean())
    return out


def _near_bit(frame: Frame, bit: MaskBit, x: Array, y: Array, radius: Array) -> Flags:
    if frame.mask_bits is None:
        return np.zeros(len(x), dtype=bool)
    return _share(frame.mask_bits, x, y, radius, int(bit)) > 0.0


def _near_edge(frame: Frame, x: Array, y: Array, edge_px: float) -> Flags:
    """Tell which positions are within `edge_px` of the frame's end or of its unilluminated part."""
    ny, nx = frame.shape
    near = (x < edge_px) | (y < edge_px) | (x > nx - 1 - edge_px) | (y > ny - 1 - edge_px)
    if frame.mask_bits is None:
        return near
    dark = int(MaskBit.UNILLUMINATED | MaskBit.EDGE)
    return near | (_share(frame.mask_bits, x, y, np.full(len(x), edge_px), dark) > 0.0)


def _crowded(x: Array, y: Array, radius: Array) -> Flags:
    """Tell which positions have another peak within `radius`."""
    if len(x) < 2:
        return np.zeros(len(x), dtype=bool)
    distance = np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :])
    np.fill_diagonal(distance, np.inf)
    return distance.min(axis=1) < radius


def _dipoles(difference: Difference, peaks: Peaks, flux: Array, fwhm: Array, p: MeasureParameters) -> Flags:
    """Tell which peaks are the lobes of a static star's displacement.

    A star of flux F displaced by d px gives lobes of PSF flux F d / FWHM (Gaussian PSF, matched filter:
    exp(-1/2) / sqrt(2) / sigma per px), so the lobes' amplitude tells the displacement.
    """
    out = np.zeros(len(peaks), dtype=bool)
    limit = max(p.dipole_floor_px, 4.0 * difference.diagnostics.registration_rms_px)
    for k in range(len(peaks)):
        other = peaks.is_negative != peaks.is_negative[k]
        distance = np.hypot(peaks.x - peaks.x[k], peaks.y - peaks.y[k])
        near = np.flatnonzero(other & (distance < p.dipole_fwhm * fwhm[k]) & (np.abs(flux) > 0.3 * abs(flux[k])))
        for j in near:
            both = np.array([k, j])
            weight = np.abs(flux[both])
            x, y = (np.array([np.average(a[both], weights=weight)]) for a in (peaks.x, peaks.y))
            n = filter_fluxes(difference.science, None, difference.psf_science, x, y)[0][0]
            r = filter_fluxes(difference.reference, None, difference.psf_reference, x, y)[0][0]
            static = min(n, r)
            if static > 0 and weight.max() * fwhm[k] / static < limit:
                out[k] = True
    return out
