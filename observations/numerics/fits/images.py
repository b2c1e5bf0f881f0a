"""Frames in from FITS files: the door through which every delivered image comes.

Its neighbours `fits_*.py` are its rooms: blocks (container and bounds), pixels, cards, times, sky, wcs, headers (the
table of keywords) and products. No other file of the project knows a FITS keyword.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from observations.numerics.doubts import Doubt
from observations.numerics.fits.blocks import Unit, walk, walk_beginning
from observations.numerics.fits.facts import FitsRefused, FrameFacts, Overrides, ReadLimits
from observations.numerics.fits.headers import PLAIN, Reading, examine, lacks, read_facts
from observations.numerics.fits.pixels import (
    distortion_tables,
    header_lines,
    image_header,
    image_sha256,
    read_bands,
    read_pixels,
)
from observations.numerics.fits.products import decode_frame, encode_frame, encode_image

__all__ = [
    "Examined", "FitsRefused", "FrameFacts", "Overrides", "RawImage", "ReadLimits", "Reading", "decode_frame",
    "encode_frame", "encode_image", "examine_beginning", "examine_images", "find_image", "header_lines",
    "is_same_exposure", "read_bands", "read_images", "scan_images",
]  # fmt: skip

# Planes that belong to an image and are none themselves.
_COMPANIONS = frozenset((
    "ERR", "ERROR", "DQ", "VAR", "VARIANCE", "MASK", "WHT", "WEIGHT", "CON", "CTX", "UNCERT", "IVAR", "SIGMA", "PSF",
    "BPM", "BKG", "BACKGROUND", "FLAGS", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT", "SAMP", "TIME", "D2IMARR",
    "WCSDVARR",
))  # fmt: skip
# Cards that a compressor may rewrite without changing the exposure.
_STRUCTURAL = frozenset(("SIMPLE", "XTENSION", "EXTEND", "PCOUNT", "GCOUNT", "CHECKSUM", "DATASUM", "EXTNAME"))


@dataclass(frozen=True)
class RawImage:
    """One image HDU of a delivered file; its pixels are read when asked for.

    data : (ny, nx) float32 physical values, BLANK as NaN. sha256 : of the uncompressed HDU. header : JSON-able cards.
    """

    path: Path
    hdu_index: int
    sha256: str
    header: dict[str, object]
    facts: FrameFacts
    unit: Unit

    @cached_property
    def data(self) -> NDArray[np.float32]:
        return read_pixels(self.path, self.unit)


def read_images(path: str | Path, *, limits: ReadLimits | None = None, reading: Reading = PLAIN) -> list[RawImage]:
    """Read every image of a FITS file: plain, gzipped or tile-compressed, in any HDU.

    The file is walked once in constant memory, each size checked before it is read; tables, companion planes (ERR, DQ,
    …) and images too small to be used are passed over.

    Raises
    ------
    FitsRefused
        With the failure code and the sentence of what is wrong; for the first image that cannot be used. Use
        `scan_images` where the other images of a mosaic shall be kept.
    """
    images = []
    for item in scan_images(path, limits=limits, reading=reading):
        if isinstance(item[1], FitsRefused):
            raise item[1]
        images.append(item[1])
    return images


def scan_images(
    path: str | Path, *, limits: ReadLimits | None = None, reading: Reading = PLAIN
) -> list[tuple[int, RawImage | FitsRefused]]:
    """Return each image of a file by HDU index, as read or with the reason why it cannot be used.

    Raises FitsRefused where the file as a whole cannot be used: not_fits, truncated, too_large, bad_bitpix,
    bad_value, no_image.
    """
    path, limits = Path(path), limits or ReadLimits()
    units = list(walk(path, limits))
    found: list[tuple[int, RawImage | FitsRefused]] = []
    reasons: list[str] = []
    images = list(_images(units, limits, reasons))
    for unit in images:
        primary = units[0].header if unit.index > 0 else None
        try:
            image = _raw_image(path, unit, primary, reading)
            found.append((unit.index, image if len(images) == 1 else _of_detector(image)))
        except FitsRefused as refusal:
            found.append((unit.index, refusal))
    if not found:
        why = "; ".join(reasons) or "no HDU has pixels"
        raise FitsRefused("no_image", f"The file holds no image of the sky: {why}.")
    return found


@dataclass(frozen=True)
class Examined:
    """What an image's header is understood as, before anything is made of it.

    facts : None where it is no frame at all. refusal : why it could not be used as it is, "" where it could.
    """

    hdu_index: int
    facts: FrameFacts | None
    header: dict[str, object]
    refusal: str = ""
    code: str = ""


def examine_images(path: str | Path, *, limits: ReadLimits | None = None, reading: Reading = PLAIN) -> list[Examined]:
    """Return what the header of each image of a file is understood as; no pixel is read.

    Raises FitsRefused where the file as a whole cannot be used.
    """
    limits = limits or ReadLimits()
    return _examined(list(walk(Path(path), limits, is_hashed=False)), limits, reading, Path(path))


def examine_beginning(content: bytes, *, reading: Reading = PLAIN) -> list[Examined]:
    """Return the same of the images whose headers lie in the first bytes of a file. Raises FitsRefused."""
    limits = ReadLimits()
    return _examined(list(walk_beginning(content, limits)), limits, reading, None)


def _examined(units: list[Unit], limits: ReadLimits, reading: Reading, path: Path | None) -> list[Examined]:
    found, reasons = [], list[str]()
    for unit in _images(units, limits, reasons):
        header, shape = image_header(unit), (unit.image_shape[-2], unit.image_shape[-1])
        own = replace(reading, primary=units[0].header if unit.index > 0 else None)
        if path is None:
            found.append(_one_examined(unit.index, header, shape, own))
            continue
        with distortion_tables(path, header) as tables:
            found.append(_one_examined(unit.index, header, shape, replace(own, tables=tables)))
    if not found:
        why = "; ".join(reasons) or "no HDU has pixels"
        raise FitsRefused("no_image", f"The file holds no image of the sky: {why}.")
    return found


def _one_examined(hdu_index: int, header: fits.Header, shape: tuple[int, int], reading: Reading) -> Examined:
    try:
        facts, cards = examine(header, shape, reading)
    except FitsRefused as refusal:
        return Examined(hdu_index, None, {}, str(refusal), refusal.code)
    lack = lacks(facts)
    return Examined(hdu_index, facts, cards.as_json(), *(("", "") if lack is None else (str(lack), lack.code)))


def find_image(path: str | Path, hdu_index: int, *, limits: ReadLimits | None = None) -> list[Unit]:
    """Return the HDU of an image, and before it the file's first one where that is another; no pixel is read.

    Raises FitsRefused where the file cannot be read or holds no image there.
    """
    found: list[Unit] = []
    for unit in walk(Path(path), limits or ReadLimits(), is_hashed=False):
        if unit.index == hdu_index and unit.is_image:
            return [*found, unit]
        if unit.index == 0:
            found.append(unit)
    raise FitsRefused("no_image", f"The file holds no image in HDU {hdu_index}.")


def is_same_exposure(image: RawImage, path: str | Path, hdu_index: int, header: Mapping[str, object]) -> bool:
    """Tell whether a stored image is this one, where one of the two is tile-compressed.

    Compressors other than fpack rewrite structural cards, so that the hash differs from that of the original: then
    all other cards (`header`, of the stored one) and all pixels must agree. False where neither is compressed.
    """
    if _essential(image.header) != _essential(header):
        return False
    units = [unit for unit in walk(Path(path), ReadLimits()) if unit.index == hdu_index and unit.is_image]
    if not units or not (units[0].is_compressed_image or image.unit.is_compressed_image):
        return False
    return np.array_equal(read_pixels(Path(path), units[0]), image.data, equal_nan=True)


def _essential(header: Mapping[str, object]) -> dict[str, object]:
    return {keyword: value for keyword, value in header.items() if keyword not in _STRUCTURAL}


def _images(units: list[Unit], limits: ReadLimits, reasons: list[str]) -> Iterator[Unit]:
    for unit in units:
        if not unit.is_image:
            continue
        name, shape = str(unit.header.get("EXTNAME", "")).strip().upper(), unit.image_shape
        size = " x ".join(str(axis) for axis in reversed(shape))
        if name in _COMPANIONS:
            reasons.append(f"HDU {unit.index} is a companion plane ({name})")
        elif len(shape) < 2:
            reasons.append(f"HDU {unit.index} has {len(shape)} axis ({size})")
        elif any(axis != 1 for axis in shape[:-2]):
            reasons.append(f"HDU {unit.index} is a cube of {size} pixels, give its planes as images of their own")
        elif max(shape[-2:]) > limits.max_axis_px:
            reasons.append(f"HDU {unit.index} has {size} pixels, more than {limits.max_axis_px} on an axis")
        elif min(shape[-2:]) < limits.min_axis_px:
            reasons.append(f"HDU {unit.index} has {size} pixels, fewer than {limits.min_axis_px} on an axis")
        else:
            yield unit


def _of_detector(image: RawImage) -> RawImage:
    """An image of a mosaic: each detector is a camera with calibration frames of its own."""
    detector = str(image.unit.header.get("EXTNAME", "")).strip() or f"HDU {image.hdu_index}"
    if detector.upper() == "SCI":
        detector = f"SCI {image.unit.header.get('EXTVER', image.hdu_index)}"
    camera = f"{image.facts.camera or 'camera'} [{detector}]"
    return replace(image, facts=replace(image.facts, camera=camera))


def _raw_image(path: Path, unit: Unit, primary: fits.Header | None, reading: Reading) -> RawImage:
    shape = unit.image_shape
    header = image_header(unit)
    with distortion_tables(path, header) as tables:
        reading = replace(reading, primary=primary, tables=tables)
        facts, cards = read_facts(header, (shape[-2], shape[-1]), reading)
    if unit.is_intact is False:
        sentence = "The file's own checksum does not hold: its bytes were changed after it was written."
        doubt = Doubt("checksum_differs", "pixels", "CHECKSUM", None, sentence)
        facts = replace(facts, doubts=(*facts.doubts, doubt))
    return RawImage(path, unit.index, image_sha256(path, unit), cards.as_json(), facts, unit)
