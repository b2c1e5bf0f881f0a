"""Masters from calibration frames, and lights freed of bias, dark current and uneven response."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from observations.numerics.frame import Image
from observations.numerics.statistics import MAD_TO_SIGMA

STRIP_ROWS = 64
# A cosmic ray stands hundreds of sigma out; 5 sigma of the combined scatter keeps all of the noise.
CLIP_SIGMA = 5.0
# A response below a fifth of the mean leaves more noise than signal after division.
LOWEST_RESPONSE = 0.2
# CCD dark current doubles about every 7 K (Janesick 2001, Scientific Charge-Coupled Devices, section 7.1.1).
DOUBLING_K = 7.0
# A dark further away in temperature than one doubling has different hot pixels too.
LARGEST_STEP_K = 7.0
SECTION = re.compile(r"^\s*\[\s*(\d+)\s*:\s*(\d+)\s*,\s*(\d+)\s*:\s*(\d+)\s*\]\s*$")


class CalibrationError(ValueError):
    """The calibration frames do not fit together, or not to the light."""


@dataclass(frozen=True)
class Master:
    """Calibration frames combined.

    data : (ny, nx) float32: ADU for a bias or dark, mean 1 for a flat. kind : "bias", "dark", "flat" or "sky_flat".
    contains_bias : of a dark: the bias is still in it, so that it fits lights of its own exposure only.
    error : (ny, nx) of a sky flat: 1 sigma of the response, a share of it; None where it is below the lights' noise.
    """

    data: Image
    kind: str
    frame_count: int
    exposure_s: float | None = None
    ccd_temperature_c: float | None = None
    contains_bias: bool = False
    diagnostics: dict[str, float] = field(default_factory=dict)
    error: Image | None = None

    @property
    def level(self) -> float:
        """Median of every other pixel in each axis: a million know it to a thousandth of their scatter."""
        return float(np.nanmedian(self.data[::2, ::2]))

    @property
    def noise(self) -> float:
        """Robust scatter of the pixels: fixed pattern and noise together."""
        low, high = np.nanpercentile(self.data[::2, ::2], (25.0, 75.0))
        return float(0.7413 * (high - low))


@dataclass(frozen=True)
class Masters:
    """What there is to calibrate a light with; `flat` may be a sky flat."""

    bias: Master | None = None
    dark: Master | None = None
    flat: Master | None = None


@dataclass(frozen=True)
class Exposure:
    """What a frame's header says that its calibration needs; sections as in FITS, 1-based and inclusive.

    done : of "bias", "dark" and "flat" what was taken off before the frame was delivered.
    """

    exposure_s: float | None = None
    ccd_temperature_c: float | None = None
    biassec: str | None = None
    trimsec: str | None = None
    pedestal_adu: float | None = None
    done: tuple[str, ...] = ()


@dataclass(frozen=True)
class Calibrated:
    """A light in ADU above zero signal, with what was done to it and what could not be."""

    data: Image
    applied: tuple[str, ...]
    missing: tuple[str, ...]
    response: Image | None = None
    response_error: Image | None = None


def combine(stack: Sequence[Image] | Image, method: str = "clipped_mean") -> Image:
    """Combine frames pixel by pixel, rejecting outliers.

    Parameters
    ----------
    stack : n images (ny, nx); NaN takes no part.
    method : "clipped_mean" (values beyond 5 sigma of the median left out; of two frames the lower where they differ
        by that much, since cosmic rays only add) or "median".

    Returns
    -------
    (ny, nx) float32; NaN where every frame is.

    Notes
    -----
    With few frames a pixel's own scatter says little, so that sigma is the larger of the pixel's and the typical
    pixel's (median over the strip). Works in strips: memory is that of the input and the result.
    """
    if len(stack) == 0:
        raise CalibrationError("there is no frame to combine")
    shapes = {frame.shape for frame in stack}
    if len(shapes) > 1:
        raise CalibrationError(f"frames of different sizes cannot be combined: {sorted(shapes)}")
    if method not in ("clipped_mean", "median"):
        raise ValueError(f"method is clipped_mean or median, not {method}")
    result = np.empty(stack[0].shape, dtype=np.float32)
    for top in range(0, result.shape[0], STRIP_ROWS):
        rows = np.s_[top : top + STRIP_ROWS]
        strip = np.stack([np.asarray(frame[rows], dtype=np.float32) for frame in stack])
        result[rows] = _combine_strip(strip, method)
    return result


def _combine_strip(strip: NDArray[np.float32], method: str) -> Image:
    count = strip.shape[0]
    finite = np.isfinite(strip)
    holes = not finite.all()
    if count == 1:
        return strip[0]
    filled = np.where(finite, strip, np.float32(np.inf)) if holes else strip
    ordered = np.sort(filled, axis=0)
    middle = _middle(ordered, finite.sum(axis=0)) if holes else np.median(ordered, axis=0)
    if method == "median":
        return middle.astype(np.float32)
    away = np.where(finite, np.abs(strip - middle), np.float32(np.nan))
    if count == 2:
        typical = MAD_TO_SIGMA * float(np.nanmedian(away)) + 1e-6
        lower = np.fmin(strip[0], strip[1])
        mean = np.where(finite.all(axis=0), middle, lower)
        return np.where(np.nanmax(np.where(finite, away, 0), axis=0) > CLIP_SIGMA * typical, lower, mean)
    spread = np.where(finite, away, 0)
    # 1.4826 MAD of three values underestimates; the typical pixel's value bounds it from below.
    own = MAD_TO_SIGMA * np.sort(spread, axis=0)[count // 2]
    typical = max(MAD_TO_SIGMA * float(np.median(np.nan_to_num(away))), 1e-6)
    keep = finite & (spread <= CLIP_SIGMA * np.maximum(own, typical))
    number = keep.sum(axis=0)
    total = np.where(keep, strip, 0).sum(axis=0, dtype=np.float64)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan).astype(np.float32)


def _middle(ordered: NDArray[np.float32], number: NDArray[np.intp]) -> Image:
    """Return the median of the first `number` values along axis 0; NaN where there is none."""
    low = np.take_along_axis(ordered, np.maximum((number - 1) // 2, 0)[None], axis=0)[0]
    high = np.take_along_axis(ordered, np.maximum(number // 2, 0)[None].clip(max=ordered.shape[0] - 1), axis=0)[0]
    usable = number > 0
    return np.where(usable, 0.5 * (np.where(usable, low, 0) + np.where(usable, high, 0)), np.nan).astype(np.float32)


def master_bias(frames: Sequence[Image]) -> Master:
    """Combine bias frames."""
    return Master(combine(frames), "bias", len(frames))


def master_dark(frames: Sequence[Image], exposures: Sequence[Exposure], bias: Master | None) -> Master:
    """Combine darks of one exposure; the bias is taken out where there is one."""
    seconds = {e.exposure_s for e in exposures}
    if len(seconds) != 1:
        raise CalibrationError(f"darks of different exposures cannot be combined: {seconds}")
    temperatures = [e.ccd_temperature_c for e in exposures if e.ccd_temperature_c is not None]
    data = combine(frames)
    if bias is not None:
        _same_shape(data, bias)
        data = data - bias.data
    temperature = float(np.mean(temperatures)) if temperatures else None
    return Master(data, "dark", len(frames), seconds.pop(), temperature, contains_bias=bias is None)


def master_flat(
    frames: Sequence[Image], exposures: Sequence[Exposure], bias: Master | None, dark: Master | None
) -> Master:
    """Combine flats: each freed of bias and dark, brought to median 1, combined, brought to mean 1."""
    levelled = []
    for frame, exposure in zip(frames, exposures, strict=True):
        light = calibrate(frame, masters=Masters(bias, dark), exposure=exposure).data
        level = float(np.nanmedian(light))
        if not level > 0:
            raise CalibrationError(f"a flat has no light in it: median {level:.1f} ADU above bias and dark")
        levelled.append(light / np.float32(level))
    return Master(normalise_flat(combine(levelled)), "flat", len(frames))


def normalise_flat(data: Image) -> Image:
    """Bring a response to mean 1 over its lit pixels; unlit (below a fifth) and non-finite ones become NaN."""
    level = float(np.nanmedian(data))
    lit = np.isfinite(data) & (data > LOWEST_RESPONSE * level)
    if not lit.any():
        raise CalibrationError("the flat has no lit pixel")
    return np.where(lit, data / data[lit].mean(dtype=np.float64), np.nan).astype(np.float32)


def parse_section(section: str, shape: tuple[int, int]) -> tuple[slice, slice]:
    """Return the (rows, columns) slices of a FITS section such as [1:1024,5:1020], checked against the frame."""
    found = SECTION.match(section)
    if not found:
        raise CalibrationError(f"the section {section!r} is not of the form [x1:x2,y1:y2]")
    x1, x2, y1, y2 = (int(g) for g in found.groups())
    if not (1 <= x1 <= x2 <= shape[1] and 1 <= y1 <= y2 <= shape[0]):
        raise CalibrationError(f"the section {section} does not lie within a frame of {shape[1]} x {shape[0]} px")
    return slice(y1 - 1, y2), slice(x1 - 1, x2)


def _without_overscan(data: Image, exposure: Exposure) -> tuple[Image, bool, tuple[slice, slice]]:
    """Return the frame less its overscan's level, whether that was done, and the window that TRIMSEC leaves."""
    shape = (data.shape[0], data.shape[1])
    window = parse_section(exposure.trimsec, shape) if exposure.trimsec else (slice(None), slice(None))
    strip = parse_section(exposure.biassec, shape) if exposure.biassec and not exposure.done else None
    if strip is None or data[strip].size == 0:
        return data, False, window
    rows, columns = strip
    if (rows.stop - rows.start) >= (columns.stop - columns.start):
        # A column strip: its level may drift from row to row, so that each row gets a running median.
        by_row = np.nanmedian(data[strip], axis=1)
        level = np.full(shape[0], np.nanmedian(by_row), dtype=np.float32)
        level[rows] = _running_median(by_row, 31)
        return data - level[:, None], True, window
    return data - np.float32(np.nanmedian(data[strip])), True, window


def _running_median(values: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    padded = np.pad(values, width // 2, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1).astype(np.float32)


def _same_shape(data: Image, master: Master) -> None:
    if master.data.shape != data.shape:
        raise CalibrationError(f"the {master.kind} is {master.data.shape} and the frame {data.shape}")


def calibrate(raw: Image, *, masters: Masters = Masters(), exposure: Exposure = Exposure()) -> Calibrated:
    """Take overscan, bias, dark and response out of a frame.

    The frame keeps its own pixel grid: columns outside TRIMSEC become NaN and are not cut off, since all positions
    are stated in the raw grid. Non-finite pixels stay so; pixels where the flat is unlit become NaN.

    Parameters
    ----------
    raw : (ny, nx) in ADU. Not changed.
    masters : what there is; None for what there is not.
    exposure : exposure time and temperature (to scale the dark by), sections, pedestal.

    Returns
    -------
    Calibrated
        data (ny, nx) float32 in ADU; `applied` names the steps, `missing` says in sentences what was not done and why;
        `response` is the flat, `response_error` its error as of `Master`, for the noise.

    Raises
    ------
    CalibrationError
        when a master has another size than the frame.

    Notes
    -----
    A PEDESTAL card is the constant a program added, negated. It counts only where neither bias, overscan nor a dark
    with its bias removed the zero point anyhow. What was taken off before delivery is not taken off again: it is among
    `applied`.
    """
    data, overscan_done, window = _without_overscan(np.asarray(raw, dtype=np.float32), exposure)
    applied, missing = (["overscan"] if overscan_done else []), list[str]()
    applied += [step for step in ("bias", "dark", "flat") if step in exposure.done]
    zeroed = overscan_done
    # After a flat neither bias nor dark fit any more: they were divided by it.
    is_past = bool(exposure.done)
    if masters.bias is not None and not is_past:
        _same_shape(data, masters.bias)
        # With an overscan the bias only contributes its pattern, about its own level.
        data = data - (masters.bias.data - np.float32(masters.bias.level) if overscan_done else masters.bias.data)
        applied.append("bias")
        zeroed = True
    elif not overscan_done and not is_past:
        missing.append("no bias: the level contains the electronic zero point")
    data, dark_zeroed = _without_dark(data, masters, exposure, applied, missing)
    if exposure.pedestal_adu and not (zeroed or dark_zeroed):
        data = data + np.float32(exposure.pedestal_adu)
        applied.append("pedestal")
    response, error = None, None
    if masters.flat is None and "flat" not in exposure.done:
        missing.append("no flat: vignetting, dust and pixel response remain")
    elif masters.flat is not None and "flat" not in exposure.done:
        _same_shape(data, masters.flat)
        response, error = masters.flat.data, masters.flat.error
        data = data / response
        applied.append(masters.flat.kind)
    return Calibrated(_trimmed(data, window, applied), tuple(applied), tuple(missing), response, error)


def _trimmed(data: Image, window: tuple[slice, slice], applied: list[str]) -> Image:
    if window == (slice(None), slice(None)):
        return np.ascontiguousarray(data, dtype=np.float32)
    inside = np.full(data.shape, np.nan, dtype=np.float32)
    inside[window] = data[window]
    applied.append("trim")
    return inside


def _without_dark(
    data: Image, masters: Masters, exposure: Exposure, applied: list[str], missing: list[str]
) -> tuple[Image, bool]:
    """Return the frame less its dark, and whether that took the electronic zero point away too."""
    dark = masters.dark
    if {"dark", "flat"} & set(exposure.done):
        return data, False
    if dark is None:
        missing.append("no dark: dark current and hot pixels remain")
        return data, False
    _same_shape(data, dark)
    same = dark.exposure_s is not None and dark.exposure_s == exposure.exposure_s
    if dark.contains_bias:
        if not same or {"bias", "overscan"} & set(applied):
            missing.append(
                f"the dark of {dark.exposure_s} s holds its bias, so that it fits no light of {exposure.exposure_s} s"
                if not same
                else "the dark holds its bias, which was taken out of the light already"
            )
            return data, False
        applied.append("dark")
        return data - dark.data, True
    if dark.exposure_s is None or exposure.exposure_s is None or dark.exposure_s <= 0:
        missing.append("the exposure of the light or of its dark is unknown, so that the dark cannot be scaled")
        return data, False
    factor = exposure.exposure_s / dark.exposure_s * _warmth(dark, exposure, missing)
    applied.append("dark")
    return data - np.float32(factor) * dark.data, False


def _warmth(dark: Master, exposure: Exposure, missing: list[str]) -> float:
    """Return the factor by which the light's dark current exceeds the dark's, from the temperatures."""
    if dark.ccd_temperature_c is None or exposure.ccd_temperature_c is None:
        return 1.0
    step = exposure.ccd_temperature_c - dark.ccd_temperature_c
    # Half a kelvin is the sensors' own noise (the 2713 night reads -18.67 and -19.10 at one set point).
    if abs(step) < 0.5:
        return 1.0
    if abs(step) > LARGEST_STEP_K:
        missing.append(f"the dark was taken {step:+.1f} K away in temperature: its hot pixels may differ")
    return float(2.0 ** (np.clip(step, -LARGEST_STEP_K, LARGEST_STEP_K) / DOUBLING_K))
