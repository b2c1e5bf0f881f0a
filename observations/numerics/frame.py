"""The in-memory image that every numeric room works on, with its PSF and its stars."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from observations.numerics import polynomial

if TYPE_CHECKING:
    from astropy.wcs import WCS

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]
Column = NDArray[np.float64]
Cube = NDArray[np.float64]
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
# A plain number: numpy makes eight bytes a pixel of a mask beside an enumeration.
BAD_BITS = int(~MaskBit.INTERPOLATED & 0xFFFF)


@dataclass(frozen=True)
class HeldOut:
    """How well a frame's PSF predicts stars of the frame that it was not made from, in shape alone.

    core_residual : root of the sum of squares of what is left within one FWHM, over that of the star; noise is taken
    out. peak_bias : star less model at the peak, share of it. stars : how many were held out.
    """

    core_residual: float
    peak_bias: float
    stars: int


@dataclass(frozen=True)
class PsfModel:
    """PSF as a polynomial in field position; callable (x, y) -> (k, k).

    coefficients : (n_terms, k, k); terms 1, u, v, u², uv, v², … with u = (x - (nx-1)/2) / (nx/2), v likewise.
    The result sums to 1 at every position and is centred on the middle pixel; k is odd.
    held_out : None where the frame has too few stars to spare any.
    """

    coefficients: Cube
    degree: int
    nx: int
    ny: int
    held_out: HeldOut | None = None

    def __call__(self, x: float, y: float) -> NDArray[np.float64]:
        return self.at(np.array([x]), np.array([y]))[0]

    def at(self, x: Column, y: Column) -> Cube:
        """Return the (n, k, k) stamps at n positions."""
        return np.tensordot(self.terms(x, y, self.degree, (self.ny, self.nx)), self.coefficients, axes=1)

    @staticmethod
    def terms(x: Column, y: Column, degree: int, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Return the (n, n_terms) terms at n positions of a field of shape (ny, nx)."""
        ny, nx = shape
        return polynomial.terms((x - (nx - 1) / 2) / (nx / 2), (y - (ny - 1) / 2) / (ny / 2), degree)

    @property
    def size_px(self) -> int:
        return self.coefficients.shape[-1]

    @property
    def middle(self) -> NDArray[np.float64]:
        """The PSF at the centre of the field."""
        return self((self.nx - 1) / 2, (self.ny - 1) / 2)


@dataclass(frozen=True)
class Stars:
    """Sources of one image, brightest first; every column is (n,).

    x, y : windowed centroids, 0-based pixel centres. flux, flux_error : image units.
    fwhm : px, of a Gaussian through the core. ellipticity : 1 - b/a.
    is_saturated : a saturated, masked or non-finite pixel lies within one FWHM of the centre.
    is_isolated : no neighbour with 5 % of its flux within 4 FWHM.
    fwhm_px : the frame's seeing, median of isolated unsaturated stars; NaN without any.
    """

    x: Column
    y: Column
    flux: Column
    flux_error: Column
    fwhm: Column
    ellipticity: Column
    is_saturated: NDArray[np.bool_]
    is_isolated: NDArray[np.bool_]
    fwhm_px: float = float("nan")

    COLUMNS: ClassVar[tuple[str, ...]] = (
        "x", "y", "flux", "flux_error", "fwhm", "ellipticity", "is_saturated", "is_isolated",
    )  # fmt: skip

    def __len__(self) -> int:
        return self.x.size

    def __getitem__(self, which: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Stars:
        return self.of({name: column[which] for name, column in self.columns().items()}, self.fwhm_px)

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """Return the columns by name, in their order."""
        return {name: getattr(self, name) for name in self.COLUMNS}

    @classmethod
    def of(cls, columns: Mapping[str, NDArray[np.generic]], fwhm_px: float = float("nan")) -> Stars:
        """Make a list of stars of its columns by name."""
        x, y, flux, flux_error, fwhm, ellipticity = (np.asarray(columns[n], dtype=np.float64) for n in cls.COLUMNS[:6])
        is_saturated, is_isolated = (np.asarray(columns[n], dtype=np.bool_) for n in cls.COLUMNS[6:])
        return cls(x, y, flux, flux_error, fwhm, ellipticity, is_saturated, is_isolated, fwhm_px)

    @property
    def xy(self) -> NDArray[np.float64]:
        return np.column_stack([self.x, self.y])

    @property
    def is_clean(self) -> NDArray[np.bool_]:
        """Isolated, unsaturated, and as wide as the seeing to within a quarter: fit to serve as an example."""
        near = np.abs(self.fwhm / self.fwhm_px - 1) < 0.25
        return self.is_isolated & ~self.is_saturated & near


@dataclass(frozen=True)
class Frame:
    """One image with what is known about it; `None` means unknown, never a default.

    data : (ny, nx) float32, in `unit`, background included unless said otherwise.
    mask : (ny, nx) bool, True = bad.
    mask_bits : (ny, nx) uint16 of `MaskBit`, or None where the cause is not known.
    variance : (ny, nx) float32 in unit², or None: then it is measured from the image.
    gain : electrons per `unit`. read_noise : electrons. saturation : in `unit`.
    psf : callable (x, y) -> odd square array, centred, of sum 1; positions are 0-based pixel centres.
    stars : sources measured on these pixels; fluxes in `unit`.
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
    stars: Stars | None = None
    zero_point_mag: float | None = None
    mjd_utc: float | None = None
    band: str | None = None
    exposure_s: float | None = None
    pixel_scale_arcsec: float | None = None
    unit: str = "adu"

    def __post_init__(self) -> None:
        if self.data.ndim != 2:
            raise ValueError(f"a frame has two axes, this array has {self.data.ndim}")
        if self.mask.shape != self.data.shape:
            raise ValueError(f"mask {self.mask.shape} and data {self.data.shape} differ in shape")

    @property
    def shape(self) -> tuple[int, int]:
        return self.data.shape
