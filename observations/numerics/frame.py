"""The in-memory image that every numeric room works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntFlag
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from astropy.wcs import WCS

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]
PsfFunction = Callable[[float, float], NDArray[np.float64]]


class MaskBit(IntFlag):
    """Why a pixel is bad. Zero is a good pixel."""

    BAD = 1
    SATURATED = 2
    COSMIC_RAY = 4
    TRAIL = 8
    EDGE = 16
    UNILLUMINATED = 32
    INTERPOLATED = 64


# An interpolated pixel carries a usable value with a larger variance, so it does not count as bad.
BAD_BITS = ~MaskBit.INTERPOLATED & 0xFFFF


@dataclass(frozen=True)
class Frame:
    """One image with what is known about it; `None` means unknown, never a default.

    data : (ny, nx) float32, in `unit`, background included unless said otherwise.
    mask : (ny, nx) bool, True = bad.
    mask_bits : (ny, nx) uint16 of `MaskBit`, or None where the cause is not known.
    variance : (ny, nx) float32 in unit², or None: then it is measured from the image.
    gain : electrons per `unit`. read_noise : electrons. saturation : in `unit`.
    psf : callable (x, y) -> odd square array, centred, of sum 1; positions are 0-based pixel centres.
    zero_point_mag : magnitude of one count. mjd_utc : mid-exposure. exposure_s : seconds.
    """

    data: Image
    mask: Mask
    mask_bits: NDArray[np.uint16] | None = None
    variance: Image | None = None
    gain: float | None = None
    read_noise: float | None = None
    saturation: float | None = None
    wcs: WCS | None = None
    psf: PsfFunction | None = None
    zero_point_mag: float | None = None
    mjd_utc: float | None = None
    band: str | None = None
    exposure_s: float | None = None
    pixel_scale_arcsec: float | None = None
    unit: str = "adu"
    extras: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.data.ndim != 2:
            raise ValueError(f"a frame has two axes, this array has {self.data.ndim}")
        if self.mask.shape != self.data.shape:
            raise ValueError(f"mask {self.mask.shape} and data {self.data.shape} differ in shape")

    @property
    def shape(self) -> tuple[int, int]:
        return self.data.shape
