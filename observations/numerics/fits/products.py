"""Products as FITS: frames out and in again, and difference, score and master images."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS
from numpy.typing import NDArray

from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.keywords import PRODUCT_KEYWORD
from observations.numerics.fits.mapped import wcs_of
from observations.numerics.frame import BAD_BITS, Frame, HeldOut, MaskBit, PsfModel, Stars

Card = tuple[str, object] | tuple[str, object, str]
Number = TypeVar("Number", bound=np.generic)

# Every part of a FITS file fills blocks of this size.
BLOCK_BYTES = 2880

_SCALARS: tuple[tuple[str, str, str], ...] = (
    ("gain", "GAIN", "electrons per unit"), ("read_noise", "RDNOISE", "electrons"),
    ("saturation", "SATURATE", "in BUNIT"), ("zero_point_mag", "MAGZERO", "magnitude of one count"),
    ("mjd_utc", "MJD-AVG", "mid-exposure, UTC"),
    ("exposure_s", "EXPTIME", "s"), ("pixel_scale_arcsec", "PIXSCALE", "arcsec per pixel"),
)  # fmt: skip


def encode_frame(frame: Frame) -> bytearray:
    """Encode a frame as FITS bytes: SCI, MASK, and VAR, PSF, STARS where known.

    `frame.psf` is stored where it is a `PsfModel`; a bare function cannot be. What `decode_frame` returns has identical
    arrays; header numbers carry 14 digits or more, the WCS 12.

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
    hdus = [_image_hdu(np.asarray(frame.data, dtype=np.float32), frame.wcs, header)]
    hdus.append(fits.ImageHDU(_mask_bits(frame), name="MASK"))
    hdus[-1].header["HASBITS"] = (frame.mask_bits is not None, "F: the cause of bad pixels is not known")
    if frame.variance is not None:
        hdus.append(fits.ImageHDU(np.asarray(frame.variance, dtype=np.float32), name="VAR"))
    if isinstance(frame.psf, PsfModel):
        hdus.append(_psf_hdu(frame.psf))
    if frame.stars is not None:
        hdus.append(_stars_hdu(frame.stars))
    return _to_bytes(hdus)


def decode_frame(path: str | Path) -> Frame:
    """Read a frame that `encode_frame` wrote; the stars' `fwhm_px` is not stored and stays NaN.

    Raises FitsRefused where the file is no such product.
    """
    try:
        with fits.open(path, memmap=False) as hdus:
            if hdus[0].header.get(PRODUCT_KEYWORD) != "frame" or "MASK" not in hdus:
                raise FitsRefused("not_fits", "The file is not a processed frame: process its observation again.")
            return _frame(hdus)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FitsRefused("truncated", f"The processed frame cannot be read ({error}): process it again.") from error


def decode_psf(path: str | Path) -> PsfModel | None:
    """Read the PSF of a frame that `encode_frame` wrote, and nothing else; None where it was stored without.

    Raises FitsRefused where the file is no such product.
    """
    try:
        with fits.open(path, memmap=True) as hdus:
            if hdus[0].header.get(PRODUCT_KEYWORD) != "frame":
                raise FitsRefused("not_fits", "The file is not a processed frame: process its observation again.")
            return _psf(hdus["PSF"]) if "PSF" in hdus else None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FitsRefused("truncated", f"The processed frame cannot be read ({error}): process it again.") from error


def encode_image(
    data: NDArray[np.generic],
    *,
    wcs: WCS | None = None,
    cards: Sequence[Card] = (),
    extra: Sequence[tuple[str, NDArray[np.generic]]] = (),
) -> bytearray:
    """Encode one image (difference, score, master) as FITS bytes, float64 as float32; `extra` are named images."""
    header = fits.Header([(PRODUCT_KEYWORD, "image", "processed product: not to be ingested")])
    hdus = [_image_hdu(_storable(data), wcs, header, cards)]
    hdus += [fits.ImageHDU(_storable(array), name=name) for name, array in extra]
    return _to_bytes(hdus)


def _storable(data: NDArray[np.generic]) -> NDArray[np.generic]:
    if data.dtype == np.bool_:
        return data.astype(np.uint8)
    return data.astype(np.float32, copy=False) if data.dtype.kind == "f" else data


def _card_value(value: object) -> object:
    """What a card can hold: numpy scalars as Python's, NaN and infinity as undefined."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _image_hdu(
    data: NDArray[np.generic], wcs: WCS | None, header: fits.Header, cards: Sequence[Card] = ()
) -> fits.PrimaryHDU:
    if wcs is not None:
        with warnings.catch_warnings():
            # Remarks on keywords that no program needs.
            warnings.simplefilter("ignore", AstropyWarning)
            header.update(wcs.to_header(relax=True))
    for card in cards:
        header[card[0]] = (_card_value(card[1]), *card[2:])
    hdu = fits.PrimaryHDU(data, header=header)
    hdu.header["EXTNAME"] = "SCI"
    return hdu


def _mask_bits(frame: Frame) -> NDArray[np.uint16]:
    if frame.mask_bits is None:
        return np.where(frame.mask, np.uint16(MaskBit.BAD), np.uint16(0))
    if not np.array_equal((frame.mask_bits & BAD_BITS) != 0, frame.mask):
        raise ValueError("mask and mask_bits of this frame contradict each other")
    return frame.mask_bits


def _psf_hdu(psf: PsfModel) -> fits.ImageHDU:
    hdu = fits.ImageHDU(np.asarray(psf.coefficients, dtype=np.float64), name="PSF")
    hdu.header["DEGREE"] = (int(psf.degree), "of the polynomial over the field")
    hdu.header["FIELDNX"] = (int(psf.nx), "width of the field, px")
    hdu.header["FIELDNY"] = (int(psf.ny), "height of the field, px")
    if psf.held_out is not None:
        hdu.header["CORERES"] = (float(psf.held_out.core_residual), "of stars held out, rms share of their light")
        hdu.header["PEAKBIAS"] = (float(psf.held_out.peak_bias), "of stars held out, share of their peak")
        hdu.header["HELDOUT"] = (int(psf.held_out.stars), "stars held out")
    return hdu


def _stars_hdu(stars: Stars) -> fits.BinTableHDU:
    columns = stars.columns()
    table = np.empty(len(stars), dtype=[(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        table[name] = column
    return fits.BinTableHDU(table, name="STARS")


def _to_bytes(hdus: list[fits.PrimaryHDU | fits.ImageHDU | fits.BinTableHDU]) -> bytearray:
    """Return the file of these, every pixel written once, in its place; astropy writes tables and all headers."""
    fits.HDUList(hdus).update_extend()
    blocks = [_of_table(hdu) if isinstance(hdu, fits.BinTableHDU) else _of_image(hdu) for hdu in hdus]
    size = sum(len(head) + -(-pixels.nbytes // BLOCK_BYTES) * BLOCK_BYTES for head, pixels in blocks)
    out, place = bytearray(size), 0
    for head, pixels in blocks:
        out[place : place + len(head)] = head
        place += len(head)
        np.frombuffer(out, pixels.dtype.newbyteorder(">"), pixels.size, place)[:] = pixels.ravel()
        place += -(-pixels.nbytes // BLOCK_BYTES) * BLOCK_BYTES
    return out


def _of_image(hdu: fits.PrimaryHDU | fits.ImageHDU) -> tuple[bytes, NDArray[np.generic]]:
    """Return header and pixels as they are stored: of unsigned 16 bits what is above the middle of their range."""
    hdu.verify("exception")
    pixels = hdu.data
    if pixels.dtype == np.uint16:
        pixels = (pixels ^ np.uint16(1 << 15)).view(np.int16)
    return hdu.header.tostring().encode("ascii"), pixels


def _of_table(hdu: fits.BinTableHDU) -> tuple[bytes, NDArray[np.generic]]:
    buffer = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(buffer, output_verify="exception")
    # Before it stands the header of a primary image that holds nothing, one block.
    return buffer.getvalue()[BLOCK_BYTES:], np.empty(0, dtype=np.uint8)


def _native(array: NDArray[Number]) -> NDArray[Number]:
    """Return the array in the byte order of this machine; the one that was given is used up."""
    if not array.dtype.isnative and array.flags.c_contiguous and array.flags.writeable:
        return array.byteswap(inplace=True).view(array.dtype.newbyteorder("="))
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _frame(hdus: fits.HDUList) -> Frame:
    science = hdus[0]
    header = science.header
    bits = _native(hdus["MASK"].data).astype(np.uint16, copy=False)
    return Frame(
        data=_native(science.data),
        mask=(bits & BAD_BITS) != 0,
        mask_bits=bits if hdus["MASK"].header["HASBITS"] else None,
        variance=_native(hdus["VAR"].data) if "VAR" in hdus else None,
        wcs=wcs_of(header, science.data.shape),
        psf=_psf(hdus["PSF"]) if "PSF" in hdus else None,
        stars=_stars(hdus["STARS"]) if "STARS" in hdus else None,
        band=header.get("FILTER"),
        unit=header["BUNIT"],
        **{name: header.get(keyword) for name, keyword, _ in _SCALARS},
    )


def _psf(hdu: fits.ImageHDU) -> PsfModel:
    header = hdu.header
    held_out = HeldOut(header["CORERES"], header["PEAKBIAS"], header["HELDOUT"]) if "HELDOUT" in header else None
    return PsfModel(_native(hdu.data), header["DEGREE"], header["FIELDNX"], header["FIELDNY"], held_out)


def _stars(hdu: fits.BinTableHDU) -> Stars:
    """Return the stars of a table; columns that earlier versions kept besides are passed over."""
    return Stars.of({name: _native(np.asarray(hdu.data[name])) for name in Stars.COLUMNS})
