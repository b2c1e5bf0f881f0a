"""The FITS container: streams, HDUs, sizes, hashes and pixels, each within declared limits.

A file is walked once in constant memory. Every size is computed from the header and compared with the limits before
a byte of data is read, so that neither a lying header nor a decompression bomb costs memory or time.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np
from astropy.io import fits
from astropy.io.fits.verify import VerifyError
from astropy.utils.exceptions import AstropyUserWarning

from observations.numerics.fits.facts import FitsRefused, ReadLimits
from observations.numerics.fits.keywords import BITPIX_TYPES

BLOCK = 2880
_CARD = 80
_CHUNK = 4 * 2**20
# Tapes were written in up to ten FITS records at a time, the last ones filled with zeros.
_TAPE_RECORDS = 10
_GZIP = b"\x1f\x8b"
_FOREIGN = {
    b"BZh": "bzip2", b"PK\x03\x04": "zip", b"\xfd7zXZ": "xz", b"\x1f\x9d": "compress (.Z)", b"XISF": "XISF",
    b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"II*\x00": "TIFF", b"MM\x00*": "TIFF", b"\x89HDF": "HDF5",
}  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """One HDU as found: parsed header, raw header bytes, place and size of its data, what its sums say."""

    index: int
    header: fits.Header
    header_bytes: bytes
    data_offset: int
    data_bytes: int
    sha256: str = ""
    is_intact: bool | None = None

    @property
    def is_compressed_image(self) -> bool:
        return self.header.get("ZIMAGE") is True and self.header.get("XTENSION", "").strip() == "BINTABLE"

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape as numpy has it (slowest axis first), of the image and not of the table that holds it."""
        prefix = "Z" if self.is_compressed_image else ""
        return tuple(self.header[f"{prefix}NAXIS{i}"] for i in range(self.header[f"{prefix}NAXIS"], 0, -1))

    @property
    def is_image(self) -> bool:
        if self.is_compressed_image:
            return True
        return ("XTENSION" not in self.header or self.header["XTENSION"].strip() == "IMAGE") and self.data_bytes > 0


@contextmanager
def open_stream(path: Path) -> Iterator[tuple[BinaryIO, bool]]:
    """Open a file as a stream of plain FITS bytes; the second value tells whether it is gzipped."""
    with path.open("rb") as raw:
        magic = raw.read(8)
        raw.seek(0)
        if not magic:
            raise FitsRefused("not_fits", "The file is empty: deliver it again.")
        for start, name in _FOREIGN.items():
            if magic.startswith(start):
                raise FitsRefused("not_fits", f"This is a {name} file, not FITS: unpack or convert it first.")
        if not magic.startswith(_GZIP):
            yield raw, False
            return
        try:
            with gzip.GzipFile(fileobj=raw) as stream:
                yield stream, True  # type: ignore[misc]
        except EOFError as error:
            raise FitsRefused("truncated", "The gzip file ends too early: deliver it again.") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise FitsRefused("truncated", f"The gzip file is damaged ({error}): deliver it again.") from error


def walk(path: Path, limits: ReadLimits, *, is_hashed: bool = True) -> Iterator[Unit]:
    """Yield every HDU of a file, its data hashed on the way and not kept; unhashed, plain data are not even read.

    Raises FitsRefused: not_fits, truncated, bad_bitpix, bad_value, too_large, unsupported_header.
    """
    file_bytes = path.stat().st_size
    with open_stream(path) as (stream, is_gzipped):
        offset = 0
        for index in range(limits.max_hdus + 1):
            header_bytes = _read_header(stream, index, limits)
            if header_bytes is None:
                if is_gzipped:
                    _check_tail(stream)
                return
            if index == limits.max_hdus:
                raise FitsRefused("too_large", f"The file has more than {limits.max_hdus} HDUs.")
            offset += len(header_bytes)
            unit = _parse_unit(index, header_bytes, offset)
            padded = -(-unit.data_bytes // BLOCK) * BLOCK
            _check_size(unit, offset + unit.data_bytes, file_bytes if is_gzipped else None, limits)
            if not is_gzipped and offset + unit.data_bytes > file_bytes:
                raise _cut_short(index, unit.data_bytes, file_bytes - offset)
            yield _hash_data(stream, unit, padded) if is_hashed else unit
            offset += padded
            if not is_hashed:
                stream.seek(offset)


def walk_beginning(content: bytes, limits: ReadLimits) -> Iterator[Unit]:
    """Yield the HDUs whose headers lie whole in the beginning of a file, gzipped or not; their data need not be there.

    Raises FitsRefused: not_fits, bad_bitpix, bad_value, unsupported_header.
    """
    if content.startswith(_GZIP):
        content = zlib.decompressobj(31).decompress(content, limits.max_header_bytes)
    stream, offset = io.BytesIO(content), 0
    for index in range(limits.max_hdus):
        try:
            header_bytes = _read_header(stream, index, limits)
        except FitsRefused:
            if index == 0:
                raise
            return
        if header_bytes is None:
            return
        offset += len(header_bytes)
        unit = _parse_unit(index, header_bytes, offset)
        yield unit
        offset += -(-unit.data_bytes // BLOCK) * BLOCK
        stream.seek(offset)


def _read_header(stream: BinaryIO, index: int, limits: ReadLimits) -> bytes | None:
    """The header blocks of the next HDU, or None where the file ends or holds no further HDU."""
    blocks: list[bytes] = []
    while len(blocks) * BLOCK < limits.max_header_bytes:
        block = stream.read(BLOCK)
        if not blocks:
            if index == 0:
                _check_first_block(block)
            elif not block.startswith(b"XTENSION="):
                return None
        if len(block) < BLOCK and not _has_end(block):
            raise FitsRefused("truncated", f"The file ends within the header of HDU {index}: deliver it again.")
        blocks.append(block)
        if _has_end(block):
            return b"".join(blocks)
    raise FitsRefused("too_large", f"The header of HDU {index} has no END within {limits.max_header_bytes} bytes.")


def _check_tail(stream: BinaryIO) -> None:
    """Refuse a stream that goes on after the last HDU for longer than the padding of old tapes."""
    if len(stream.read(_TAPE_RECORDS * BLOCK)) == _TAPE_RECORDS * BLOCK:
        raise FitsRefused(
            "too_large", "The gzip stream goes on after the last HDU: it holds more than its headers say."
        )


def _has_end(block: bytes) -> bool:
    return any(block[i : i + _CARD].rstrip() == b"END" for i in range(0, len(block), _CARD))


def _check_first_block(block: bytes) -> None:
    if block.startswith(b"SIMPLE  ="):
        return
    start = block[:1000].lstrip().lower()
    if start.startswith(b"<") or b"<html" in start:
        raise FitsRefused(
            "not_fits", "This is a web page saved under a FITS name: the download failed, fetch it again."
        )
    raise FitsRefused(
        "not_fits", "The file does not begin like a FITS file (SIMPLE = T): it is something else, or damaged."
    )


def _parse_unit(index: int, header_bytes: bytes, data_offset: int) -> Unit:
    try:
        header = parse_header(header_bytes)
        data_bytes = _declared_bytes(header, index)
    except (VerifyError, ValueError, KeyError, TypeError) as error:
        raise FitsRefused("bad_value", f"The header of HDU {index} cannot be read: {error}.") from error
    return Unit(index, header, header_bytes, data_offset, data_bytes)


def parse_header(header_bytes: bytes) -> fits.Header:
    """Return a header with the cards that can be read; the others (NaN, unquoted text) say nothing."""
    # Bytes outside printable ASCII are against the standard; they appear in comments and must not stop the parser.
    text = re.sub(rb"[^\x20-\x7e]", b"?", header_bytes).decode("ascii")
    unreadable = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyUserWarning)
        header = fits.Header.fromstring(text)
        for position, card in enumerate(header.cards):
            try:
                _ = card.value
            except (VerifyError, ValueError):
                unreadable.append(position)
    for position in reversed(unreadable):
        del header[position]
    return header


def _declared_bytes(header: fits.Header, index: int) -> int:
    """Size of the data as the structural keywords give it (FITS 4.0, eq. 2), without padding."""
    if header.get("SIMPLE", True) is not True:
        raise FitsRefused("unsupported_header", "The header says SIMPLE = F: the file does not follow the standard.")
    bitpix = header.get("BITPIX")
    if isinstance(bitpix, bool) or bitpix not in BITPIX_TYPES:
        raise FitsRefused("bad_bitpix", f"BITPIX = {bitpix} in HDU {index} is not one of 8, 16, 32, 64, -32, -64.")
    axes = _axes(header, "NAXIS", index)
    if axes and axes[0] == 0 and header.get("GROUPS") is True:
        raise FitsRefused("unsupported_header", "Random groups are not images.")
    pcount, gcount = header.get("PCOUNT", 0), header.get("GCOUNT", 1)
    if not (isinstance(pcount, int) and isinstance(gcount, int) and pcount >= 0 and gcount >= 1):
        raise FitsRefused("bad_value", f"PCOUNT = {pcount}, GCOUNT = {gcount} in HDU {index} are impossible.")
    return abs(bitpix) // 8 * gcount * (pcount + prod(axes)) if axes else 0


def _axes(header: fits.Header, name: str, index: int) -> list[int]:
    count = header.get(name)
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= 999:
        raise FitsRefused("bad_value", f"{name} = {count} in HDU {index} is impossible.")
    axes = [header.get(f"{name}{i}") for i in range(1, count + 1)]
    for i, axis in enumerate(axes, start=1):
        if not isinstance(axis, int) or isinstance(axis, bool) or axis < 0:
            raise FitsRefused("bad_value", f"{name}{i} = {axis} in HDU {index} is impossible.")
    return axes


def _check_size(unit: Unit, total: int, gzip_bytes: int | None, limits: ReadLimits) -> None:
    sizes = [unit.data_bytes]
    if unit.is_compressed_image:
        sizes.append(_unpacked_image_bytes(unit, limits))
    if max(sizes) > limits.max_hdu_bytes:
        raise FitsRefused(
            "too_large", f"HDU {unit.index} declares {max(sizes):,} bytes; the limit is {limits.max_hdu_bytes:,}."
        )
    if gzip_bytes is None:
        return
    allowed = min(limits.max_unpacked_bytes, max(limits.free_bytes, limits.max_ratio * gzip_bytes))
    if total > allowed:
        raise FitsRefused(
            "too_large",
            f"Its {gzip_bytes:,} bytes of gzip unpack to {total:,} or more; the limit is {int(allowed):,}.",
        )


def _unpacked_image_bytes(unit: Unit, limits: ReadLimits) -> int:
    """Bytes of the image in a tile-compressed HDU; its tiles are checked as well, before any is unpacked."""
    header, index = unit.header, unit.index
    bitpix = header.get("ZBITPIX")
    if isinstance(bitpix, bool) or bitpix not in BITPIX_TYPES:
        raise FitsRefused("bad_bitpix", f"ZBITPIX = {bitpix} in HDU {index} is not one of 8, 16, 32, 64, -32, -64.")
    axes = _axes(header, "ZNAXIS", index)
    tile = [header.get(f"ZTILE{i}", axis if i == 1 else 1) for i, axis in enumerate(axes, start=1)]
    for size, axis in zip(tile, axes, strict=True):
        if not isinstance(size, int) or not 1 <= size <= max(axis, 1):
            raise FitsRefused(
                "bad_value", f"A tile of {size} pixels on an axis of {axis} in HDU {index} is impossible."
            )
    rows = prod(-(-axis // size) for axis, size in zip(axes, tile, strict=True))
    if axes and prod(axes) > 0 and header.get("NAXIS2") != rows and prod(axes) < limits.max_hdu_bytes:
        raise FitsRefused("bad_value", f"HDU {index} holds {header.get('NAXIS2')} tiles where its image needs {rows}.")
    return abs(bitpix) // 8 * prod(axes) if axes else 0


def _hash_data(stream: BinaryIO, unit: Unit, padded: int) -> Unit:
    digest = hashlib.sha256(unit.header_bytes)
    data_sum, seen = 0, 0
    while seen < padded:
        chunk = stream.read(min(_CHUNK, padded - seen))
        if not chunk:
            break
        digest.update(chunk)
        data_sum = _add_words(data_sum, chunk)
        seen += len(chunk)
    if seen < unit.data_bytes:
        raise _cut_short(unit.index, unit.data_bytes, seen)
    # A last block without its padding is a common fault of writers; the same pixels keep the same hash.
    digest.update(b"\0" * (padded - seen))
    whole_sum = _add_words(data_sum, unit.header_bytes)
    return replace(unit, sha256=digest.hexdigest(), is_intact=_is_intact(unit.header, data_sum, whole_sum))


def _cut_short(index: int, declared: int, found: int) -> FitsRefused:
    return FitsRefused(
        "truncated",
        f"HDU {index} declares {declared:,} bytes of data, the file holds {max(found, 0):,}: deliver it again.",
    )


def _add_words(total: int, chunk: bytes) -> int:
    """Ones' complement sum of 32-bit words (FITS 4.0, appendix J)."""
    words = np.frombuffer(chunk + b"\0" * (-len(chunk) % 4), dtype=">u4")
    total += int(words.sum(dtype=np.uint64))
    while total > 0xFFFFFFFF:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def _is_intact(header: fits.Header, data_sum: int, whole_sum: int) -> bool | None:
    """Whether CHECKSUM and DATASUM hold; None where the header has neither."""
    claims = []
    if str(header.get("DATASUM", "")).strip():
        claims.append(str(header["DATASUM"]).strip() == str(data_sum))
    if str(header.get("CHECKSUM", "")).strip():
        claims.append(whole_sum in (0, 0xFFFFFFFF))
    return all(claims) if claims else None
