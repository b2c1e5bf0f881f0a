"""Products as FITS: frames out and in again, and difference, score and master images."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS
from numpy.typing import NDArray

from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.keywords import PRODUCT_KEYWORD
from observations.numerics.frame import BAD_BITS, Frame, MaskBit

if TYPE_CHECKING:
    CardLike = tuple[str, object] | tuple[str, object, str]

_SCALARS: tuple[tuple[str, str, str], ...] = (
    ("gain", "GAIN", "electrons per unit"), ("read_noise", "RDNOISE", "electrons"),
    ("saturation", "SATURATE", "in BUNIT"), ("zero_point_mag", "MAGZERO", "magnitude of one count"),
    ("mjd_utc", "MJD-AVG", "mid-exposure, UTC"),
    ("exposure_s", "EXPTIME", "s"), ("pixel_scale_arcsec", "PIXSCALE", "arcsec per pixel"),
)  # fmt: skip


class PsfParameters(Protocol):
    """A PSF that varies over the field as polynomial terms of small images."""

    coefficients: NDArray[np.float64]
    degree: int
    nx: int
    ny: int


def encode_frame(frame: Frame, *, stars: object | None = None, cards: Iterable[CardLike] = ()) -> bytes:
    """Encode a frame as FITS bytes: SCI, MASK, and VAR, PSF, STARS where known.

    `frame.psf` is stored where it has `coefficients` (n_terms, k, k), `degree`, `nx`, `ny`; a bare function cannot be.
    `stars` is a dataclass of equally long 1-d arrays. `cards` are added to SCI as (keyword, value[, comment]).
    What `decode_frame` returns has identical arrays; header numbers carry 14 digits or more, the WCS 12.

    Raises ValueError where mask and mask_bits of the frame contradict each other.
    """
    header = fits.Header([(PRODUCT_KEYWORD, "frame", "processed product: not to be ingested")])
    for name, keyword, comment in _SCALARS:
        value = getattr(frame, name)
        if value is not None:
            header[keyword] = (_card_value(value), comment)
    header["BUNIT"] = frame.unit
    if frame.band is not None:
        header["FILTER"] = frame.band
    hdus: list[Any] = [_image_hdu(np.asarray(frame.data, dtype=np.float32), "SCI", frame.wcs, header, cards)]
    hdus.append(fits.ImageHDU(_mask_bits(frame), name="MASK"))
    hdus[-1].header["HASBITS"] = (frame.mask_bits is not None, "F: the cause of bad pixels is not known")
    if frame.variance is not None:
        hdus.append(fits.ImageHDU(np.asarray(frame.variance, dtype=np.float32), name="VAR"))
    if frame.psf is not None and hasattr(frame.psf, "coefficients"):
        hdus.append(_psf_hdu(frame.psf))
    if stars is not None:
        hdus.append(_table_hdu(stars))
    return _to_bytes(hdus)


def decode_frame(path: str | Path) -> Frame:
    """Read a frame that `encode_frame` wrote.

    The PSF comes as `extras["psf_parameters"]` (coefficients, degree, nx, ny), stars as `extras["stars"]` (arrays by
    name), all cards as `extras["cards"]`; `psf` itself stays None.

    Raises FitsRefused where the file is no such product.
    """
    try:
        with fits.open(path, memmap=False) as hdus:
            if hdus[0].header.get(PRODUCT_KEYWORD) != "frame" or "MASK" not in hdus:
                raise FitsRefused("not_fits", "The file is not a processed frame: process its observation again.")
            return _frame(hdus)
    except (OSError, ValueError, TypeError) as error:
        raise FitsRefused("truncated", f"The processed frame cannot be read ({error}): process it again.") from error


def encode_image(
    data: NDArray[Any],
    *,
    wcs: WCS | None = None,
    cards: Iterable[CardLike] = (),
    extra: Sequence[tuple[str, NDArray[Any]]] = (),
) -> bytes:
    """Encode one image (difference, score, master) as FITS bytes, float64 as float32; `extra` are named images."""
    header = fits.Header([(PRODUCT_KEYWORD, "image", "processed product: not to be ingested")])
    hdus: list[Any] = [_image_hdu(_storable(data), "SCI", wcs, header, cards)]
    hdus += [fits.ImageHDU(_storable(array), name=name) for name, array in extra]
    return _to_bytes(hdus)


def _storable(data: NDArray[Any]) -> NDArray[Any]:
    array = np.asarray(data)
    if array.dtype == np.bool_:
        return array.astype(np.uint8)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _card_value(value: object) -> object:
    """What a card can hold: numpy scalars as Python's, NaN and infinity as undefined."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _image_hdu(
    data: NDArray[Any], name: str, wcs: WCS | None, header: fits.Header, cards: Iterable[CardLike]
) -> fits.PrimaryHDU:
    if wcs is not None:
        with warnings.catch_warnings():
            # Remarks on keywords that no program needs.
            warnings.simplefilter("ignore", AstropyWarning)
            header.update(wcs.to_header(relax=True))
    for card in cards:
        header[card[0]] = (_card_value(card[1]), *card[2:])
    hdu = fits.PrimaryHDU(data, header=header)
    hdu.header["EXTNAME"] = name
    return hdu


def _mask_bits(frame: Frame) -> NDArray[np.uint16]:
    if frame.mask_bits is None:
        return np.where(frame.mask, np.uint16(MaskBit.BAD), np.uint16(0))
    if not np.array_equal((frame.mask_bits & BAD_BITS) != 0, frame.mask):
        raise ValueError("mask and mask_bits of this frame contradict each other")
    return frame.mask_bits


def _psf_hdu(psf: Any) -> fits.ImageHDU:
    hdu = fits.ImageHDU(np.asarray(psf.coefficients, dtype=np.float64), name="PSF")
    hdu.header["DEGREE"] = (int(psf.degree), "of the polynomial over the field")
    hdu.header["FIELDNX"] = (int(psf.nx), "width of the field, px")
    hdu.header["FIELDNY"] = (int(psf.ny), "height of the field, px")
    return hdu


def _table_hdu(stars: object) -> fits.BinTableHDU:
    if not is_dataclass(stars):
        raise ValueError("stars must be a dataclass of arrays")
    named = {item.name: np.asarray(getattr(stars, item.name)) for item in fields(stars)}
    arrays = {name: array for name, array in named.items() if array.ndim == 1}
    dtype = [(name, array.dtype) for name, array in arrays.items()]
    table = np.empty(len(next(iter(arrays.values()))), dtype=dtype)
    for name, array in arrays.items():
        table[name] = array
    return fits.BinTableHDU(table, name="STARS")


def _to_bytes(hdus: list[Any]) -> bytes:
    buffer = io.BytesIO()
    fits.HDUList(hdus).writeto(buffer, output_verify="exception")
    return buffer.getvalue()


def _native(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _frame(hdus: fits.HDUList) -> Frame:
    science = hdus[0]
    header = science.header
    bits = _native(hdus["MASK"].data).astype(np.uint16)
    scalars = {name: header.get(keyword) for name, keyword, _ in _SCALARS}
    extras: dict[str, Any] = {"cards": {card.keyword: card.value for card in header.cards}}
    if "PSF" in hdus:
        psf = hdus["PSF"]
        extras["psf_parameters"] = {
            "coefficients": _native(psf.data),
            "degree": psf.header["DEGREE"],
            "nx": psf.header["FIELDNX"],
            "ny": psf.header["FIELDNY"],
        }
    if "STARS" in hdus:
        table = hdus["STARS"].data
        extras["stars"] = {name: _native(np.asarray(table[name])) for name in table.names}
    return Frame(
        data=_native(science.data),
        mask=(bits & BAD_BITS) != 0,
        mask_bits=bits if hdus["MASK"].header["HASBITS"] else None,
        variance=_native(hdus["VAR"].data) if "VAR" in hdus else None,
        wcs=_wcs(header, science.data.shape),
        band=header.get("FILTER"),
        unit=header["BUNIT"],
        extras=extras,
        **scalars,
    )


def _wcs(header: fits.Header, shape: tuple[int, int]) -> WCS | None:
    if "CTYPE1" not in header:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        wcs = WCS(header)
    wcs.array_shape = shape
    return wcs


def read_image(path: str | Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read what `encode_image` wrote: its images by name (the first is "SCI") and the first one's cards.

    Raises FitsRefused where the file is no such product.
    """
    try:
        with fits.open(path, memmap=False) as hdus:
            if hdus[0].header.get(PRODUCT_KEYWORD) != "image":
                raise FitsRefused("not_fits", "The file is not an image of the pipeline: make it again.")
            images = {str(hdu.header["EXTNAME"]): _native(hdu.data) for hdu in hdus}
            return images, {card.keyword: card.value for card in hdus[0].header.cards}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FitsRefused("truncated", f"The image cannot be read ({error}): make it again.") from error
