"""The pixels of an object's epochs in one answer, packed for the pages that draw from them.

The first line is JSON and says what follows: for each epoch its images, each as a plane of lower and one of upper bytes
(`detection.numerics.packing`), then one byte a pixel that says why it is bad, left out where none is.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

import numpy as np
from django.db.models import QuerySet
from django.urls import reverse
from numpy.typing import NDArray

from catalog.files import storage
from detection.cutouts.overlay import local_wcs
from detection.cutouts.pictures import PARTS, stored, version_of
from detection.models import Detection
from detection.numerics.packing import pack
from detection.numerics.stamps import STAMP_SIZE_PX
from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.mapped import map_images
from observations.numerics.frame import MaskBit

# Browsers keep an answer for ever under its address, which therefore changes with what is sent.
FORMAT = 1
MOST_EPOCHS = 60
# Why a pixel is bad: bits of the last plane.
MASKED, SATURATED = 1, 2
GONE = "The cutouts of this detection are no longer stored: run detection on its frame again to restore them."
_UNREADABLE = "The cutouts of this detection cannot be read: run detection on its frame again to replace them."
# The leading one is looked at large; of the others the page shows these two.
_OF_OTHERS = (PARTS[0], PARTS[2])
# Noise is hardly compressible: what longer searches find is 5 % and costs more time than to send it.
_GZIP_BITS = 31


class EpochsRefused(Exception):
    """The address names no epochs that can be sent; the sentence says why."""


@dataclass(frozen=True)
class Epoch:
    """One epoch: its detection, None where this person sees none by that key, and the version of its file now."""

    key: UUID
    detection: Detection | None
    version: str | None


def address_of(versions: Iterable[tuple[UUID, str | None]]) -> str:
    """Return where the pixels of these epochs are, the leading one first, each with the version of its file."""
    named = ",".join(f"{key.hex}~{version}" if version else key.hex for key, version in versions)
    return f"{reverse('detection:epoch_pixels')}?format={FORMAT}&epochs={quote(named, safe=',~')}"


def asked_for(text: str) -> dict[UUID, str]:
    """Return the keys in an address and the version that it names for each, "" for none."""
    pairs = [part.partition("~") for part in text.split(",")]
    try:
        asked = {UUID(key): version for key, _, version in pairs}
    except ValueError as error:
        raise EpochsRefused("The address must name detections by their keys, separated by commas.") from error
    if len(asked) > MOST_EPOCHS:
        raise EpochsRefused(f"At most {MOST_EPOCHS} epochs can be sent at once.")
    return asked


def with_images(rows: QuerySet[Detection]) -> QuerySet[Detection]:
    """Read with detections, in one query, what their pixels need and no more."""
    related = rows.select_related("observation", "candidate__difference_run")
    return related.only(
        "cutouts_path", "ra", "dec", "pixel_x", "pixel_y", "observation__wcs_quality",
        "candidate__difference_run__difference_image_path",
    )  # fmt: skip


def epochs_of(keys: Iterable[UUID], rows: Mapping[UUID, Detection]) -> list[Epoch]:
    """Return the epochs of these keys in their order."""
    found = [(key, rows.get(key)) for key in keys]
    return [Epoch(key, row, version_of(row.cutouts_path) if row else None) for key, row in found]


def tag_of(epochs: Sequence[Epoch]) -> str:
    """Return what changes when any of the files is written anew, comes or goes."""
    named = ",".join(f"{epoch.key.hex}~{epoch.version}" for epoch in epochs)
    return hashlib.sha256(f"{FORMAT} {named}".encode()).hexdigest()[:32]


def body_of(epochs: Sequence[Epoch]) -> bytes:
    """Return the pixels of the epochs: all images of the leading one, science and difference of the others."""
    told, planes = [], []
    for number, epoch in enumerate(epochs):
        facts, own = _packed(epoch, _OF_OTHERS if number else PARTS)
        told.append({"id": str(epoch.key), **facts})
        planes += own
    return b"".join([json.dumps({"epochs": told}).encode(), b"\n", *planes])


def compressed(body: bytes) -> bytes:
    """Return a body as gzip."""
    compressor = zlib.compressobj(wbits=_GZIP_BITS, strategy=zlib.Z_RLE)
    return compressor.compress(body) + compressor.flush()


def _packed(epoch: Epoch, parts: Sequence[str]) -> tuple[dict[str, object], list[bytes]]:
    """Return what is told of an epoch, and its planes."""
    row = epoch.detection
    if row is None or epoch.version is None:
        return {"fault": GONE}, []
    cutouts = stored(row.cutouts_path)
    if cutouts is None:
        return {"fault": _UNREADABLE}, []
    mask = cutouts[3] > 0
    images = {name: pack(cutouts[PARTS.index(name)], mask) for name in parts}
    causes = [_causes(row, mask).tobytes()] if mask.any() else []
    facts = {
        "version": epoch.version,
        "size": mask.shape[0],
        "images": {name: [image.zero, image.soft, image.step] for name, image in images.items()},
        "has_mask": bool(causes),
        "wcs": local_wcs(row),
    }
    return facts, [*(image.planes for image in images.values()), *causes]


def _causes(row: Detection, mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return why pixels are bad; the cutout knows only which are, the difference image which of them are saturated."""
    causes = np.where(mask, np.uint8(MASKED), np.uint8(0))
    window = _bits_about(row)
    if window is not None and window.shape == mask.shape:
        causes[mask & ((window & int(MaskBit.SATURATED)) != 0)] |= np.uint8(SATURATED)
    return causes


def _bits_about(row: Detection) -> NDArray[np.integer] | None:
    """Return the stored mask where the cutout was taken, 0 beyond the frame; None where it is gone."""
    if row.candidate is None or not row.candidate.difference_run.difference_image_path:
        return None
    try:
        plane = map_images(storage.open_stored(row.candidate.difference_run.difference_image_path)).plane("MASK")
    except (OSError, FitsRefused, storage.OutsideStorage, storage.StorageUnreachable):
        return None
    half = STAMP_SIZE_PX // 2
    left, bottom = round(row.pixel_x) - half, round(row.pixel_y) - half
    rows = np.arange(bottom, bottom + STAMP_SIZE_PX)
    columns = np.arange(left, left + STAMP_SIZE_PX)
    is_row, is_column = (rows >= 0) & (rows < plane.shape[0]), (columns >= 0) & (columns < plane.shape[1])
    window = np.zeros((STAMP_SIZE_PX, STAMP_SIZE_PX), dtype=np.uint8)
    window[np.ix_(is_row, is_column)] = plane[rows[is_row]][:, columns[is_column]]
    return window
