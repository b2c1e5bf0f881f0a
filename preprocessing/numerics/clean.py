"""A frame freed of what is no sky: which pixels not to believe, small defects filled, stars made wide enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from observations.numerics.fits.facts import FrameFacts
from observations.numerics.frame import Image, Mask, MaskBit, Stars
from preprocessing.numerics import masks, mosaic, sampling
from preprocessing.numerics.background import Background, estimate_background, follow_background
from preprocessing.numerics.calibrate import Calibrated, Masters
from preprocessing.numerics.cosmic_rays import cosmic_rays
from preprocessing.numerics.hot_pixels import lone_pixels
from preprocessing.numerics.interpolate import interpolate_small
from preprocessing.numerics.outside import outside
from preprocessing.numerics.quality import Limits, structure_of
from preprocessing.numerics.stars import SHARPEST_STAR_PX, find_stars
from preprocessing.numerics.trailed_stars import are_trailed, seen_across
from preprocessing.numerics.trails import find_trails

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
class Cleaned:
    """A calibrated frame with its mask: what is measured on.

    sharp_fwhm_px : width of the stars before they were smoothed, None where they were not. structure : as of `Quality`,
    before that.
    """

    data: Image
    bits: NDArray[np.uint16]
    extra_variance: Image
    sky: Background
    saturation: float | None
    sharp_fwhm_px: float | None = None
    structure: float | None = None

    @property
    def sharpest_px(self) -> float:
        """Width below which nothing is a star."""
        return SHARPEST_STAR_PX if self.sharp_fwhm_px is None else sampling.SHARPEST_PX


def _header_ceiling(facts: FrameFacts) -> float | None:
    """Return the header's saturation in the unit of the pixels as read."""
    if facts.saturation is None:
        return None
    return facts.saturation * facts.bscale + facts.bzero if facts.saturation_unit == "raw_adu" else facts.saturation


@dataclass(frozen=True)
class _Seen:
    """What there is to clean. raw : pixels as delivered, for what is saturated. data : calibrated.

    masters : what is known of the detector's pixels. smoothing : noise of a pixel over its scatter in `data`.
    structure : as of `Quality`, of a mosaic's own pixels.
    """

    raw: Image
    data: Image
    masters: Masters
    smoothing: float = 1.0
    structure: float | None = None

    def estimate(self, bad: Mask, mesh_px: int) -> Background:
        """Return the sky with the noise that a pixel had before it shared it with its neighbours."""
        return self._told(estimate_background(self.data, bad, mesh_px=mesh_px))

    def follow(self, bad: Mask, mesh_px: int) -> Background:
        """Return the same with what is extended in it."""
        return self._told(follow_background(self.data, bad, mesh_px=mesh_px))

    def _told(self, sky: Background) -> Background:
        return sky if self.smoothing == 1.0 else replace(sky, noise=sky.noise * np.float32(self.smoothing))


def _seen(raw: RawPixels, calibrated: Calibrated, masters: Masters) -> _Seen:
    """The frame itself; of a mosaic of colours its luminance, single pixels that stand alone filled before."""
    if not is_mosaic(raw.facts):
        return _Seen(raw.data, calibrated.data, masters)
    data, unknown = calibrated.data, ~np.isfinite(calibrated.data)
    noise = mosaic.noise_of(data, unknown)
    bad = unknown | mosaic.lone_pixels(data, unknown)
    bad |= masks.detector_defects(masters.dark, masters.flat, noise, data.shape, is_mosaic=True)
    structure = structure_of(mosaic.levelled(data, bad), bad, noise)
    # Where one colour is saturated the luminance of all that it goes into is.
    return _Seen(mosaic.brightest(raw.data), mosaic.luminance(data, bad), Masters(), mosaic.SMOOTHING, structure)


def is_mosaic(facts: FrameFacts) -> bool:
    """Tell whether neighbouring pixels see different colours; binned ones have added them."""
    return facts.bayer_pattern is not None and facts.binning in (None, "1x1")


def clean(raw: RawPixels, calibrated: Calibrated, masters: Masters, parameters: Parameters) -> Cleaned:
    """Return a calibrated frame with what is no sky masked, and small defects filled."""
    seen = _seen(raw, calibrated, masters)
    ceiling = masks.find_ceiling(seen.raw, header_level=_header_ceiling(raw.facts))
    found = _find_bad(seen, ceiling, parameters)
    sky, seeing_px = found.sky, found.seeing_px
    filled, bits, extra = interpolate_small(seen.data, found.bits, sky.noise)
    np.nan_to_num(filled, copy=False)
    cleaned = Cleaned(filled, bits, extra, sky, _data_ceiling(raw.data, calibrated, ceiling))
    if seen.smoothing != 1.0:
        share = np.float32(sampling.noise_share(seeing_px, mosaic.SHARE))
        return replace(cleaned, sky=replace(sky, noise=sky.noise * share), structure=seen.structure)
    return cleaned if found.smoothed_px is None else _well_sampled(cleaned, found.smoothed_px)


class _Found(NamedTuple):
    """What of a frame is no sky, the sky without it, and the seeing; smoothed_px as `_smoothed_width` returns it."""

    bits: NDArray[np.uint16]
    sky: Background
    seeing_px: float
    smoothed_px: float | None


def _find_bad(seen: _Seen, ceiling: masks.Ceiling | None, parameters: Parameters) -> _Found:
    """Look for what is no sky; the images and masks that this takes are given back before anything is filled."""
    data, masters = seen.data, seen.masters
    unknown = ~np.isfinite(data)
    beyond = outside(np.where(unknown, np.float32(np.nan), seen.raw))
    unknown |= beyond
    high = seen.raw >= ceiling.level if ceiling is not None else np.zeros(data.shape, dtype=bool)
    sky = seen.estimate(unknown | high, parameters.mesh_px)
    defects = unknown | masks.detector_defects(masters.dark, masters.flat, sky.median_noise, data.shape)
    dark = masks.unilluminated(data, defects, sky, falloff=parameters.vignette_falloff)
    if dark.any():
        sky = seen.estimate(defects | high | dark, parameters.mesh_px)
        dark |= masks.vignette_rim(_residual(data, sky), sky.noise, dark)
    del sky
    sky = seen.follow(defects | high | dark, parameters.mesh_px)
    residual = _residual(data, sky)
    lone = lone_pixels(residual, sky.noise, defects | high | dark)
    known = defects | high | dark | lone
    look = _first_look(data, known, sky)
    is_wide = look.fwhm_px >= sampling.WELL_SAMPLED_PX or seen.smoothing != 1.0
    smoothed_px = None if is_wide else _smoothed_width(data, known, sky)
    bits = np.zeros(data.shape, dtype=np.uint16)
    _set(bits, MaskBit.UNILLUMINATED, dark)
    _set(bits, MaskBit.EDGE, beyond | masks.edge_defects(residual, sky.noise, known))
    if ceiling is not None:
        _set(bits, MaskBit.SATURATED, masks.saturated_pixels(seen.raw, ceiling, _seeing(look)))
    defects |= masks.line_defects(residual, sky.noise, known | (bits != 0))
    defects |= masks.cold_pixels(residual, sky.noise, known | (bits != 0))
    _set(bits, MaskBit.BAD, defects & ~beyond)
    _set(bits, MaskBit.COSMIC_RAY, lone)
    # Where stars are as sharp as hits nothing tells them apart.
    if parameters.clip_cosmic_rays and smoothed_px is None:
        # A frame's sharpest stars set the bound, not its typical ones: the PSF varies, and galaxies are no stars.
        hits = cosmic_rays(residual, sky.noise, bits != 0, _sharpest(look), sigma=parameters.cosmic_ray_sigma)
        _set(bits, MaskBit.COSMIC_RAY, hits)
    _set(bits, MaskBit.TRAIL, find_trails(residual, sky.noise, bits != 0, _seeing(look)))
    return _Found(bits, sky, _seeing(look), smoothed_px)


def _first_look(data: Image, known: Mask, sky: Background) -> Stars:
    """Return bright stars for the seeing; where they are lines, their width across is what nothing is sharper than."""
    look = find_stars(data, known, background=sky.level, noise=sky.noise, threshold_sigma=FIRST_LOOK_SIGMA)
    return seen_across(data, known, background=sky.level, noise=sky.noise) if are_trailed(look) else look


def _smoothed_width(data: Image, known: Mask, sky: Background) -> float | None:
    """Return the width of a frame's stars after smoothing, None where they were not sharper than pixels show."""
    image = sampling.smoothed(np.where(known | ~np.isfinite(data), sky.level, data))
    look = find_stars(
        image,
        sampling.smoothed_mask(known),
        background=sky.level,
        noise=sky.noise,
        threshold_sigma=FIRST_LOOK_SIGMA * sampling.PIXEL_NOISE,
        sharpest_px=sampling.SHARPEST_PX,
    )
    return look.fwhm_px if sampling.SHARPEST_PX < look.fwhm_px < sampling.WIDEST_PX else None


def _well_sampled(cleaned: Cleaned, fwhm_px: float) -> Cleaned:
    """Return the frame with its stars smoothed, to this width."""
    bad, sky = masks.is_bad(cleaned.bits), cleaned.sky
    wide = sampling.smoothed_mask(bad)
    bits = cleaned.bits.copy()
    _set(bits, MaskBit.BAD, wide & ~bad)
    return replace(
        cleaned,
        data=sampling.smoothed(np.where(bad & (cleaned.data == 0), sky.level, cleaned.data)),
        bits=bits,
        extra_variance=sampling.smoothed_variance(cleaned.extra_variance),
        sky=replace(sky, noise=sky.noise * np.float32(sampling.noise_share(fwhm_px))),
        sharp_fwhm_px=sampling.width_before(fwhm_px),
        structure=structure_of(cleaned.data, bad, sky.median_noise),
    )


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
