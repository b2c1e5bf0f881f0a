"""Pixels of one image HDU: from stored bytes to physical values, plain or tile-compressed."""

from __future__ import annotations

import hashlib
import io
import re
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning
from numpy.typing import NDArray

from observations.numerics.fits.blocks import BLOCK, Unit, open_stream, parse_header
from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.keywords import BITPIX_TYPES
from observations.numerics.fits.wcs_cards import has_tables

_DAMAGE = (ValueError, IndexError, KeyError, TypeError, OSError, EOFError, FloatingPointError, zlib.error)
# Keywords that belong to the compression and not to the image (FITS 4.0, section 10.1).
_COMPRESSION_CARD = re.compile(
    r"(XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|TFIELDS|T(TYPE|FORM|UNIT|DISP|SCAL|ZERO|NULL|DIM)\d+|THEAP|CHECKSUM|DATASUM"
    r"|ZIMAGE|ZCMPTYPE|ZNAME\d+|ZVAL\d+|ZTILE\d+|ZMASKCMP|ZQUANTIZ|ZDITHER0|ZBLANK|ZSCALE|ZZERO|FZ\w+)$"
)
_RESTORED = {
    "ZSIMPLE": "SIMPLE", "ZTENSION": "XTENSION", "ZBITPIX": "BITPIX", "ZNAXIS": "NAXIS", "ZEXTEND": "EXTEND",
    "ZBLOCKED": "BLOCKED", "ZPCOUNT": "PCOUNT", "ZGCOUNT": "GCOUNT", "ZHECKSUM": "CHECKSUM", "ZDATASUM": "DATASUM",
}  # fmt: skip
_NO_COMPRESSION_NAME = "COMPRESSED_IMAGE"


def image_header(unit: Unit) -> fits.Header:
    """Return the header of the image itself: for a tile-compressed HDU, as it was before compression."""
    return parse_header(_plain_header_text(unit).encode("latin-1")) if unit.is_compressed_image else unit.header


@contextmanager
def distortion_tables(path: Path, header: fits.Header) -> Iterator[fits.HDUList | None]:
    """Open the file where the world coordinates of an image need tables of its other HDUs; else there is nothing."""
    if not has_tables(header):
        yield None
        return
    with fits.open(path) as hdus:
        yield hdus


def image_sha256(path: Path, unit: Unit) -> str:
    """Return the hash of the uncompressed HDU, header and data blocks.

    A tile-compressed image is unpacked and its header restored as `funpack` does, so that a losslessly compressed
    copy has the hash of its original where the compressor kept the cards.
    """
    if not unit.is_compressed_image:
        return unit.sha256
    stored = _stored_pixels(path, unit)
    # Canonical byte order and type: what an uncompressed HDU would hold.
    pixels = stored.astype(BITPIX_TYPES[int(unit.header["ZBITPIX"])]).tobytes()
    digest = hashlib.sha256(_plain_header_text(unit).encode("latin-1"))
    digest.update(pixels)
    digest.update(b"\0" * (-len(pixels) % BLOCK))
    return digest.hexdigest()


def read_pixels(path: Path, unit: Unit) -> NDArray[np.float32]:
    """Read one image as float32 physical values, (ny, nx); integers equal to BLANK become NaN.

    Axes of length 1 beyond the second are dropped. Scaling is done in float64 for 32- and 64-bit integers.
    """
    return _physical(_stored_pixels(path, unit), unit).reshape(unit.image_shape[-2:])


def read_plane(path: Path, unit: Unit, plane: int) -> NDArray[np.float32]:
    """Read one plane of a cube as `read_pixels` reads an image; an image has one, number 0."""
    stored = _stored_pixels(path, unit)
    return _physical(stored.reshape(-1, *unit.image_shape[-2:])[plane], unit)


def read_bands(path: Path, unit: Unit, most_rows: int) -> Iterator[NDArray[np.float32]]:
    """Yield one image from its first row on as `read_pixels` does, so many rows at a time; the last may be fewer.

    A plain image is never whole in memory; of a tile-compressed one the stored values are.
    """
    ny, nx = unit.image_shape[-2:]
    if unit.is_compressed_image:
        stored = _stored_pixels(path, unit).reshape(ny, nx)
        for first in range(0, ny, most_rows):
            yield _physical(stored[first : first + most_rows], unit)
        return
    kind = np.dtype(BITPIX_TYPES[int(unit.header["BITPIX"])])
    with open_stream(path) as (stream, _):
        stream.seek(unit.data_offset)
        for first in range(0, ny, most_rows):
            rows = min(most_rows, ny - first)
            raw = stream.read(rows * nx * kind.itemsize)
            if len(raw) < rows * nx * kind.itemsize:
                raise _cut_short(unit)
            yield _physical(np.frombuffer(raw, dtype=kind).reshape(rows, nx), unit)


def header_lines(unit: Unit) -> list[tuple[str, str]]:
    """Return the cards of an image as they are written, (keyword, the rest), without END and empty ones."""
    text = _plain_header_text(unit) if unit.is_compressed_image else unit.header_bytes.decode("latin-1")
    cards = [text[i : i + 80] for i in range(0, len(text), 80)]
    end = next((k for k, card in enumerate(cards) if card.rstrip() == "END"), len(cards))
    return [(card[:8].strip(), card[8:].removeprefix("=").strip()) for card in cards[:end] if card.strip()]


def _physical(stored: NDArray[np.generic], unit: Unit) -> NDArray[np.float32]:
    """Return stored values as physical ones of the same shape."""
    header = unit.header
    bscale, bzero = float(header.get("BSCALE", 1.0)), float(header.get("BZERO", 0.0))
    blank = header.get("ZBLANK", header.get("BLANK")) if unit.is_compressed_image else header.get("BLANK")
    # float32 holds 24 bits: enough for 16-bit integers with an integer zero, not for wider ones.
    work: NDArray[np.floating] = stored.astype(
        np.float64 if stored.dtype.itemsize > 2 and stored.dtype.kind == "i" else np.float32
    )
    if bscale != 1.0 or bzero != 0.0:
        work = work * work.dtype.type(bscale) + work.dtype.type(bzero)
    if stored.dtype.kind in "iu" and isinstance(blank, int):
        work[stored == blank] = np.nan
    with np.errstate(over="ignore", invalid="ignore"):
        return np.ascontiguousarray(work, dtype=np.float32)


def _stored_pixels(path: Path, unit: Unit) -> NDArray[np.generic]:
    raw = _data_bytes(path, unit)
    if not unit.is_compressed_image:
        return np.frombuffer(raw, dtype=BITPIX_TYPES[int(unit.header["BITPIX"])]).reshape(unit.image_shape)
    empty_primary = fits.PrimaryHDU().header.tostring().encode("ascii")
    container = empty_primary + unit.header_bytes + raw + b"\0" * (-len(raw) % BLOCK)
    # Impossible offsets into the heap overflow: that is damage, not a remark.
    with warnings.catch_warnings(), np.errstate(over="raise"):
        warnings.simplefilter("ignore", AstropyUserWarning)
        try:
            _check_tiles(container, unit)
            with fits.open(io.BytesIO(container), do_not_scale_image_data=True) as hdus:
                pixels = np.array(hdus[1].data)
        except _DAMAGE as error:
            raise FitsRefused(
                "bad_value", f"The compressed image in HDU {unit.index} cannot be unpacked: {error}."
            ) from error
    return pixels.reshape(unit.image_shape)


def _data_bytes(path: Path, unit: Unit) -> bytes:
    with open_stream(path) as (stream, is_gzipped):
        if is_gzipped:
            left = unit.data_offset
            while left > 0:
                left -= len(stream.read(min(left, BLOCK * 1024))) or left
        else:
            stream.seek(unit.data_offset)
        raw = stream.read(unit.data_bytes)
    if len(raw) < unit.data_bytes:
        raise _cut_short(unit)
    return raw


def _cut_short(unit: Unit) -> FitsRefused:
    return FitsRefused("truncated", f"The data of HDU {unit.index} end too early: deliver the file again.")


def _check_tiles(container: bytes, unit: Unit) -> None:
    """Refuse gzip tiles that unpack to more than a tile holds; the other compressors fill a buffer of known size."""
    header = unit.header
    sizes = [header.get(f"ZTILE{i}", header["ZNAXIS1"] if i == 1 else 1) for i in range(1, header["ZNAXIS"] + 1)]
    # The widest pixel has 8 bytes.
    allowed = 8 * prod(sizes)
    with fits.open(io.BytesIO(container), disable_image_compression=True) as hdus:
        table = hdus[1].data
        for column in ("COMPRESSED_DATA", "GZIP_COMPRESSED_DATA"):
            if column not in table.names:
                continue
            for tile in table[column]:
                packed = np.asarray(tile).tobytes()
                if packed[:2] != b"\x1f\x8b":
                    continue
                if len(zlib.decompressobj(31).decompress(packed, allowed + 1)) > allowed:
                    raise FitsRefused("too_large", f"A compressed tile of HDU {unit.index} holds more than its size.")


def _plain_header_text(unit: Unit) -> str:
    """Cards of the image before compression, in their order, padded to whole blocks."""
    cards: list[str] = []
    header = unit.header_bytes.decode("latin-1")
    for text in (header[i : i + 80] for i in range(0, len(header), 80)):
        keyword = text[:8].strip()
        if keyword == "END" and not text[8:].strip():
            break
        restored = "NAXIS" + keyword[6:] if re.fullmatch(r"ZNAXIS\d+", keyword) else _RESTORED.get(keyword)
        if restored is not None:
            cards.append(f"{restored:8}{text[8:]}")
        elif keyword == "EXTNAME" and _NO_COMPRESSION_NAME in text:
            continue
        elif not _COMPRESSION_CARD.match(keyword):
            cards.append(text)
    if not cards or not cards[0].startswith(("XTENSION", "SIMPLE")):
        cards.insert(0, f"{'XTENSION':8}= 'IMAGE   '".ljust(80))
    plain = "".join(cards) + "END".ljust(80)
    return plain + " " * (-len(plain) % BLOCK)
