"""From raw pixels to a frame that can be subtracted: the outline of preprocessing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from observations.numerics.doubts import Doubt
from observations.numerics.fits.facts import FrameFacts
from observations.numerics.frame import Frame, Image, Mask, MaskBit
from preprocessing.numerics import masks
from preprocessing.numerics.background import NoBackgroundError
from preprocessing.numerics.calibrate import Exposure, Masters, calibrate
from preprocessing.numerics.clean import Cleaned, Parameters, RawPixels, clean
from preprocessing.numerics.doubts import doubts_of_colours, doubts_of_lines, doubts_of_sampling, doubts_of_sky
from preprocessing.numerics.look_alike import looks_like
from preprocessing.numerics.quality import Failure, Quality, gate, gate_pixels, measure_quality
from preprocessing.numerics.sources import Sources, measure_sources, with_total_flux
from preprocessing.numerics.trailed_stars import are_trailed
from preprocessing.numerics.units import Scale, scale_of


@dataclass(frozen=True)
class Preprocessed:
    """A frame ready for subtraction, or the reason why there is none; what could be measured is there in either case.

    frame : background included; None only where there was nothing to measure. failure : None for a good frame.
    applied, missing : calibration steps done, and sentences on what was not. doubts : what the pixels raise.
    """

    frame: Frame | None
    quality: Quality | None
    failure: Failure | None
    applied: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()


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
        against the night are for the caller, who knows the others (`quality.gate`, `quality.gate_trailed`). Where
        stars are lines the frame may come without a PSF: it can be placed on the sky, and not be subtracted.

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
        cleaned = clean(raw, calibrated, masters, parameters)
    except NoBackgroundError as error:
        return Preprocessed(None, None, Failure("empty_frame", f"There is no sky to measure: {error}."))
    applied, lacking, unsure = calibrated.applied, calibrated.missing, calibrated.response_error
    del calibrated
    bad = masks.is_bad(cleaned.bits)
    found = _measured(cleaned, bad, parameters)
    stars, psf = found.stars, found.psf
    lit = (cleaned.bits & np.uint16(MaskBit.UNILLUMINATED | MaskBit.EDGE)) == 0
    measured = measure_quality(cleaned.data, bad, cleaned.sky, stars, psf, lit=lit)
    measured = replace(measured, exposure_s=raw.facts.exposure_s, saturation=cleaned.saturation)
    if cleaned.structure is not None:
        measured = replace(measured, structure=cleaned.structure)
    scale = scale_of(raw.data, raw.facts, cleaned.sky.median_noise)
    failure = gate(measured, (), parameters.limits)
    if failure is None and psf is None and not are_trailed(stars):
        failure = Failure("too_few_stars", f"Too few of the {len(stars)} sources are clean stars to fit a PSF to.")
    if failure is not None:
        fewest = parameters.limits.fewest_stars
        told = replace(raw.facts, gain_e_per_adu=scale.gain, read_noise_e=scale.read_noise_e)
        looks = looks_like(raw.data, told, cleaned.sky.median_noise, len(stars), fewest)
        failure = replace(failure, sentence=f"{looks} {failure.sentence}".strip())
    frame = replace(_frame(raw.facts, cleaned, bad, scale), psf=psf, stars=stars)
    if unsure is not None:
        # Of the sky's light the flat takes off too much or too little, in patches that stand still on the detector.
        frame = replace(frame, variance=frame.variance + np.square(unsure * cleaned.sky.level))
    is_flat_known = "flat" in (*raw.facts.calibrated, *applied)
    doubts = (
        *scale.doubts,
        *doubts_of_sky(
            cleaned.sky,
            np.where(bad, cleaned.sky.level, cleaned.data),
            sky_flat=_sky_flat(masters),
            is_flat_known=is_flat_known,
            is_zero_known=_is_zero_known(masters, applied),
        ),
        *doubts_of_colours(raw.data, raw.facts),
        *doubts_of_sampling(cleaned.sharp_fwhm_px),
        *doubts_of_lines(psf, stars),
    )
    return Preprocessed(frame, measured, failure, applied, (*lacking, *_uncovered(measured)), doubts)


def _sky_flat(masters: Masters) -> Image | None:
    return masters.flat.data if masters.flat is not None and masters.flat.kind == "sky_flat" else None


def _is_zero_known(masters: Masters, applied: tuple[str, ...]) -> bool:
    """Tell whether the electronic zero point was taken off, by the steps that do so."""
    by_dark = "dark" in applied and (masters.dark is None or masters.dark.contains_bias)
    return by_dark or bool({"bias", "overscan", "pedestal"} & set(applied))


def _uncovered(quality: Quality) -> tuple[str, ...]:
    """Return a sentence on how much of the frame shows no sky, where that is a hundredth and more."""
    share = 1.0 - quality.covered_share
    return (f"{share:.0%} of the frame show no sky: a rim without data or light",) if share >= 0.01 else ()


def exposure_of(facts: FrameFacts) -> Exposure:
    """Return what calibration needs of a header."""
    return Exposure(
        facts.exposure_s, facts.ccd_temperature_c, facts.biassec, facts.trimsec, facts.pedestal_adu, facts.calibrated
    )


def _measured(cleaned: Cleaned, bad: Mask, parameters: Parameters) -> Sources:
    """Return stars of total flux, and the PSF by them."""
    image, sky = cleaned.data, cleaned.sky
    found = measure_sources(
        image,
        bad,
        background=sky.level,
        noise=sky.noise,
        threshold_sigma=parameters.star_threshold_sigma,
        sharpest_px=cleaned.sharpest_px,
        degree=parameters.psf_degree,
    )
    return replace(found, stars=with_total_flux(found, image, bad, background=sky.level, noise=sky.noise))


def _frame(facts: FrameFacts, cleaned: Cleaned, bad: Mask, scale: Scale) -> Frame:
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


def _variance(cleaned: Cleaned, gain: float | None) -> Image:
    """Return the variance of every pixel.

    The sky's noise is always the measured one: it holds read noise, dark current and flat noise, whatever the header
    claims. The gain only adds the photon noise of sources; where it is unknown there is none.
    """
    sky = cleaned.sky
    variance = np.square(sky.noise)
    variance += cleaned.extra_variance
    if gain is not None and gain > 0:
        light = cleaned.data - sky.level
        np.maximum(light, 0, out=light)
        light /= np.float32(gain)
        variance += light
    return variance
