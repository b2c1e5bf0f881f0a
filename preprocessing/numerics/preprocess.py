"""From raw pixels to a frame that can be subtracted: the outline of preprocessing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from observations.numerics.doubts import Doubt
from observations.numerics.fits.facts import FrameFacts
from observations.numerics.frame import Frame, Image, Mask, MaskBit, PsfModel, Stars
from preprocessing.numerics import masks
from preprocessing.numerics.background import Background, NoBackgroundError, estimate_background
from preprocessing.numerics.calibrate import Calibrated, Exposure, Masters, calibrate
from preprocessing.numerics.cosmic_rays import cosmic_rays
from preprocessing.numerics.interpolate import interpolate_small
from preprocessing.numerics.photometry import psf_fluxes
from preprocessing.numerics.psf import PsfError, fit_psf
from preprocessing.numerics.quality import Failure, Limits, Quality, gate, gate_pixels, measure_quality
from preprocessing.numerics.stars import find_stars
from preprocessing.numerics.trails import find_trails
from preprocessing.numerics.units import Scale, scale_of

# The first look only wants the seeing: bright stars, a third of the time.
FIRST_LOOK_SIGMA = 10.0
SEEING_UNKNOWN_PX = 3.0


class RawPixels(Protocol):
    """A raw image: pixels, and what its header says."""

    @property
    def data(self) -> NDArray[np.float32]: ...

    @property
    def facts(self) -> FrameFacts: ...


@dataclass(frozen=True)
class Parameters:
    """What preprocessing may be told; every value is recorded with the run. See the modules for their origins."""

    mesh_px: int
    star_threshold_sigma: float
    clip_cosmic_rays: bool
    cosmic_ray_sigma: float
    vignette_falloff: float
    limits: Limits
    psf_degree: int | None = None


@dataclass(frozen=True)
class Preprocessed:
    """A frame ready for subtraction, or the reason why there is none; what could be measured is there in either case.

    frame : background included; None only where there was nothing to measure. failure : None for a good frame.
    applied, missing : calibration steps done, and sentences on what was not. doubts : what the pixels raise.
    """

    frame: Frame | None
    quality: Quality | None
    failure: Failure | None
    background: Background | None = None
    applied: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class _Cleaned:
    """A calibrated frame with its mask: what is measured on."""

    data: Image
    bits: NDArray[np.uint16]
    extra_variance: Image
    sky: Background
    saturation: float | None


def preprocess(raw: RawPixels, masters: Masters | None, parameters: Parameters) -> Preprocessed:
    """Calibrate, mask and measure one frame.

    Parameters
    ----------
    raw : pixels (ny, nx) as delivered and the facts of their header. Not changed.
    masters : calibration masters that fit it, None for none at all; a missing one is recorded in `missing`.
    parameters : see `Parameters`.

    Returns
    -------
    Preprocessed
        the frame keeps the raw pixel grid. A frame that fails its absolute gates comes with its failure; gates
        against the night are for the caller, who knows the others (`quality.gate`).

    Raises
    ------
    CalibrationError
        when a master has another size, or a section of the header lies outside of the frame.
    """
    masters = masters or Masters()
    failure = gate_pixels(raw.data)
    if failure is not None:
        return Preprocessed(None, None, failure)
    calibrated = calibrate(raw.data, masters=masters, exposure=exposure_of(raw.facts))
    try:
        cleaned = _clean(raw, calibrated, masters, parameters)
    except NoBackgroundError as error:
        return Preprocessed(None, None, Failure("empty_frame", f"There is no sky to measure: {error}."))
    bad = masks.is_bad(cleaned.bits)
    sky = cleaned.sky
    stars = find_stars(
        cleaned.data, bad, background=sky.level, noise=sky.noise, threshold_sigma=parameters.star_threshold_sigma
    )
    psf = _psf(cleaned, bad, stars, parameters.psf_degree)
    stars = _with_total_flux(cleaned, bad, stars, psf)
    lit = (cleaned.bits & np.uint16(MaskBit.UNILLUMINATED | MaskBit.EDGE)) == 0
    measured = measure_quality(cleaned.data, bad, cleaned.sky, stars, psf, lit=lit)
    measured = replace(measured, exposure_s=raw.facts.exposure_s, saturation=cleaned.saturation)
    failure = gate(measured, (), parameters.limits)
    if failure is None and psf is None:
        failure = Failure("too_few_stars", f"Too few of the {len(stars)} sources are clean stars to fit a PSF to.")
    scale = scale_of(raw.data, raw.facts, cleaned.sky.median_noise)
    frame = replace(_frame(raw.facts, cleaned, bad, scale), psf=psf, stars=stars)
    return Preprocessed(frame, measured, failure, cleaned.sky, calibrated.applied, calibrated.missing, scale.doubts)


def exposure_of(facts: FrameFacts) -> Exposure:
    """Return what calibration needs of a header."""
    return Exposure(
        facts.exposure_s, facts.ccd_temperature_c, facts.biassec, facts.trimsec, facts.pedestal_adu, facts.calibrated
    )


def _header_ceiling(facts: FrameFacts) -> float | None:
    """Return the header's saturation in the unit of the pixels as read."""
    if facts.saturation is None:
        return None
    return facts.saturation * facts.bscale + facts.bzero if facts.saturation_unit == "raw_adu" else facts.saturation


def _clean(raw: RawPixels, calibrated: Calibrated, masters: Masters, parameters: Parameters) -> _Cleaned:
    data, outside = calibrated.data, ~np.isfinite(calibrated.data)
    ceiling = masks.find_ceiling(raw.data, header_level=_header_ceiling(raw.facts))
    high = raw.data >= ceiling.level if ceiling is not None else np.zeros(data.shape, dtype=bool)
    sky = estimate_background(data, outside | high, mesh_px=parameters.mesh_px)
    defects = outside | masks.detector_defects(masters.dark, masters.flat, sky.median_noise, data.shape)
    dark = masks.unilluminated(data, defects, sky, falloff=parameters.vignette_falloff)
    if dark.any():
        sky = estimate_background(data, defects | high | dark, mesh_px=parameters.mesh_px)
        dark |= masks.vignette_rim(_residual(data, sky), sky.noise, dark)
        sky = estimate_background(data, defects | high | dark, mesh_px=parameters.mesh_px)
    residual = _residual(data, sky)
    known = defects | high | dark
    look = find_stars(data, known, background=sky.level, noise=sky.noise, threshold_sigma=FIRST_LOOK_SIGMA)
    bits = np.zeros(data.shape, dtype=np.uint16)
    _set(bits, MaskBit.UNILLUMINATED, dark)
    _set(bits, MaskBit.EDGE, masks.edge_defects(residual, sky.noise, known))
    if ceiling is not None:
        _set(bits, MaskBit.SATURATED, masks.saturated_pixels(raw.data, ceiling, _seeing(look)))
    defects |= masks.line_defects(residual, sky.noise, known | (bits != 0))
    defects |= masks.cold_pixels(residual, sky.noise, known | (bits != 0))
    _set(bits, MaskBit.BAD, defects)
    if parameters.clip_cosmic_rays:
        # A frame's sharpest stars set the bound, not its typical ones: the PSF varies, and galaxies are no stars.
        hits = cosmic_rays(residual, sky.noise, bits != 0, _sharpest(look), sigma=parameters.cosmic_ray_sigma)
        _set(bits, MaskBit.COSMIC_RAY, hits)
    _set(bits, MaskBit.TRAIL, find_trails(residual, sky.noise, bits != 0, _seeing(look)))
    filled, bits, extra = interpolate_small(data, bits, sky.noise)
    return _Cleaned(np.nan_to_num(filled), bits, extra, sky, _data_ceiling(raw.data, calibrated, ceiling))


def _residual(data: Image, sky: Background) -> Image:
    residual = data - sky.level
    residual[~np.isfinite(residual)] = 0.0
    return residual


def _set(bits: NDArray[np.uint16], bit: MaskBit, where: Mask) -> None:
    bits[where] |= np.uint16(bit)


def _seeing(stars: Stars) -> float:
    return stars.fwhm_px if np.isfinite(stars.fwhm_px) else SEEING_UNKNOWN_PX


def _sharpest(stars: Stars) -> float:
    """Return the 10th percentile of the widths of unsaturated sources: the field's sharpest stars."""
    widths = stars.fwhm[~stars.is_saturated]
    return min(_seeing(stars), float(np.percentile(widths, 10))) if widths.size >= 5 else _seeing(stars)


def _data_ceiling(raw: Image, calibrated: Calibrated, ceiling: masks.Ceiling | None) -> float | None:
    """Return the saturation level in the unit of the calibrated data: less what was taken off."""
    if ceiling is None:
        return None
    after, before = calibrated.data[::8, ::8], raw[::8, ::8]
    response = 1.0 if calibrated.response is None else calibrated.response[::8, ::8]
    return ceiling.level - float(np.nanmedian(before - after * response))


def _with_total_flux(cleaned: _Cleaned, bad: Mask, stars: Stars, psf: PsfModel | None) -> Stars:
    """Replace the aperture's flux by the PSF's, which is total and free of neighbours, where that was possible."""
    if psf is None:
        return stars
    sky = cleaned.sky
    flux, error = psf_fluxes(cleaned.data, bad, psf, stars, background=sky.level, noise=sky.noise)
    usable = np.isfinite(flux) & (flux > 0)
    return replace(stars, flux=np.where(usable, flux, stars.flux), flux_error=np.where(usable, error, stars.flux_error))


def _psf(cleaned: _Cleaned, bad: Mask, stars: Stars, degree: int | None) -> PsfModel | None:
    sky = cleaned.sky
    try:
        return fit_psf(cleaned.data, bad, stars, background=sky.level, noise=sky.noise, degree=degree)
    except PsfError:
        return None


def _frame(facts: FrameFacts, cleaned: _Cleaned, bad: Mask, scale: Scale) -> Frame:
    return Frame(
        data=cleaned.data,
        mask=bad,
        mask_bits=cleaned.bits,
        variance=_variance(cleaned, scale.gain),
        gain=scale.gain,
        read_noise=scale.read_noise_e,
        saturation=cleaned.saturation,
        wcs=facts.wcs,
        mjd_utc=facts.mjd_utc,
        band=facts.filter_band,
        exposure_s=facts.exposure_s,
        pixel_scale_arcsec=facts.pixel_scale_arcsec,
    )


def _variance(cleaned: _Cleaned, gain: float | None) -> Image:
    """Return the variance of every pixel.

    The sky's noise is always the measured one: it holds read noise, dark current and flat noise, whatever the header
    claims. The gain only adds the photon noise of sources; where it is unknown there is none.
    """
    sky = cleaned.sky
    variance = sky.noise**2 + cleaned.extra_variance
    if gain is None or gain <= 0:
        return variance
    return variance + np.maximum(cleaned.data - sky.level, 0) / np.float32(gain)
