"""Cutouts as alerts bring them, other surveys' and our own: one small FITS image in bytes, gzipped or not."""

from __future__ import annotations

import gzip
import io
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from astropy.io.fits.verify import VerifyError
from astropy.utils.exceptions import AstropyWarning
from numpy.typing import NDArray

from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.mapped import Value, layout_of, read_cards

_GZIP, _FITS, _JPEG = b"\x1f\x8b", b"SIMPLE  =", b"\xff\xd8\xff"
# A cutout with its variance and PSF takes 60 kB; what unpacks to more than this is none.
_MOST_BYTES = 8 * 2**20
_MOST_SIDE_PX = 1024


@dataclass(frozen=True)
class StampFile:
    """One cutout.

    image : (ny, nx) float32, counts of whatever unit its file states; NaN where nothing is known. unit : of the pixels,
    "" where the file states none. before_first : the pixel of the whole frame, x and y, that lies before the first of
    the cutout, None where it does not tell.
    """

    image: NDArray[np.float32]
    unit: str
    before_first: tuple[int, int] | None


def write_stamp(image: NDArray[np.float32], name: str, wcs: Mapping[str, float] | None) -> bytes:
    """Return a gzipped FITS file of one image, the same bytes for the same image.

    Parameters
    ----------
    image : (ny, nx) counts, NaN where nothing is known. name : of the image, as EXTNAME. wcs : CRVAL, CRPIX (from 1)
    and CD of a tangential projection, ICRS degrees; None where it is not known.
    """
    header = fits.Header([("EXTNAME", name.upper(), "image")])
    if wcs is not None:
        header.update({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CUNIT1": "deg", "CUNIT2": "deg", **wcs})
        header["RADESYS"] = "ICRS"
    buffer = io.BytesIO()
    fits.PrimaryHDU(np.asarray(image, dtype=np.float32), header=header).writeto(buffer)
    # Level 6 saves 1 % of noise over level 1; without the time of day, what is the same stays the same.
    return gzip.compress(buffer.getvalue(), compresslevel=1, mtime=0)


def read_stamp(content: bytes) -> StampFile:
    """Read the first image of a FITS file in memory, gzipped or plain.

    What is a plain image of floats, as the surveys' are, is read as it stands in the bytes, which takes a tenth of
    astropy's time; astropy reads the others (scaled integers, blanks, compressed images). Both give the same pixels.

    Raises
    ------
    FitsRefused : not_fits, truncated, too_large; the sentence says what was found instead.
    """
    plain = _unpacked(content)
    if not plain.startswith(_FITS):
        kind = "a JPEG picture, not FITS" if plain.startswith(_JPEG) else "no FITS image"
        raise FitsRefused("not_fits", f"it is {kind}")
    stream = io.BytesIO(plain)
    cards = read_cards(stream)
    image = _as_it_stands(plain, stream.tell(), cards)
    if image is None:
        image = _by_astropy(plain)
    if max(image.shape) > _MOST_SIDE_PX:
        raise FitsRefused("too_large", f"its image of {image.shape[1]} x {image.shape[0]} pixels is no cutout")
    unit = cards.get("BUNIT")
    return StampFile(image, unit if isinstance(unit, str) else "", _before_first(cards))


def _unpacked(content: bytes) -> bytes:
    if not content.startswith(_GZIP):
        return content
    unpacking = zlib.decompressobj(31)
    try:
        plain = unpacking.decompress(content, _MOST_BYTES)
    except zlib.error as error:
        raise FitsRefused("truncated", f"its gzip is damaged ({error})") from error
    if unpacking.unconsumed_tail:
        raise FitsRefused("too_large", f"it unpacks to more than {_MOST_BYTES:,} bytes")
    if not unpacking.eof:
        raise FitsRefused("truncated", "its gzip ends too early")
    return plain


def _as_it_stands(plain: bytes, start: int, cards: dict[str, Value]) -> NDArray[np.float32] | None:
    """Return an image of floats; None for anything else, which is left to astropy."""
    try:
        dtype, shape = layout_of(cards)
    except FitsRefused:
        return None
    if dtype.kind != "f" or dtype.itemsize != 4:
        return None
    count = shape[0] * shape[1]
    if len(plain) < start + count * dtype.itemsize:
        raise FitsRefused("truncated", "its image is shorter than its header says")
    return np.frombuffer(plain, dtype, count, start).reshape(shape).astype(np.float32)


def _by_astropy(plain: bytes) -> NDArray[np.float32]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            with fits.open(io.BytesIO(plain), memmap=False) as units:
                found = next((unit.data for unit in units if unit.is_image and unit.data is not None), None)
    except (OSError, VerifyError, ValueError, TypeError, KeyError, IndexError, zlib.error) as error:
        raise FitsRefused("not_fits", f"its image cannot be read ({error})") from error
    if found is None or found.ndim != 2 or 0 in found.shape:
        raise FitsRefused("not_fits", "it holds no image of two axes")
    return np.asarray(found, dtype=np.float32)


def _before_first(cards: dict[str, Value]) -> tuple[int, int] | None:
    """Return the corner that Rubin's cutouts state; measured on real ones, it is the pixel before their first."""
    x, y = cards.get("CUTMINX"), cards.get("CUTMINY")
    return (x, y) if isinstance(x, int) and isinstance(y, int) else None
