"""What pages show of a raw file: a picture, drawn when somebody first looks and kept, and the cards of its header."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from math import prod
from uuid import UUID

from PIL import Image

from catalog.files import storage
from observations.models import Observation
from observations.numerics.display import draw, shrink, step_of
from observations.numerics.fits.images import FitsRefused, find_image, header_lines, read_bands

__all__ = ["SIZES", "FitsRefused", "HeaderPart", "header", "is_there", "picture"]

# Longest side of the picture in a list and on the frame's own page.
SIZES = {"small": 160, "large": 1024}
# Pixels that are in memory at once; as float64 and what is made of them about 100 MB.
_BAND_PX = 4_000_000
# A tile-compressed image is unpacked whole: larger ones (as float32, 512 MB) have no picture.
_MOST_COMPRESSED_PX = 128_000_000
# Cards that a page can hold; stacks write tens of thousands of HISTORY.
_MOST_CARDS = 2000
_UNREADABLE = (FileNotFoundError, storage.OutsideStorage, storage.StorageUnreachable, storage.StorageFull, FitsRefused)


@dataclass(frozen=True)
class HeaderPart:
    """The cards of one HDU, (keyword, the rest) each; `left_out` more are in the file."""

    name: str
    cards: list[tuple[str, str]]
    left_out: int


def picture(observation: Observation, size: str) -> bytes | None:
    """Return a PNG of a frame, which like the frame never changes; None where the file is gone or cannot be drawn."""
    path = _path(observation.pk, size)
    try:
        return storage.open_stored(path).read_bytes()
    except (FileNotFoundError, storage.StorageUnreachable, storage.StorageFull):
        pass  # It is drawn now.
    try:
        content = _drawn(observation, SIZES[size])
    except _UNREADABLE:
        return None
    # Where there is no room for it, it is drawn again the next time.
    with contextlib.suppress(storage.StorageFull, storage.StorageUnreachable):
        storage.write_atomically(path, content)
    return content


def is_there(observation: Observation) -> bool:
    """Tell whether a frame's raw file, or the picture that was drawn of it, can be had."""
    try:
        return storage.exists(_path(observation.pk, "large")) or storage.exists(observation.fits_file_path)
    except (storage.OutsideStorage, storage.StorageUnreachable):
        return False


def header(observation: Observation) -> list[HeaderPart]:
    """Return the cards of a frame's header as they are in the raw file, behind them those of the file's first HDU.

    Raises FitsRefused where the file cannot be read any more, and what `catalog.files.storage.open_stored` raises.
    """
    units = find_image(storage.open_stored(observation.fits_file_path), observation.hdu_index)
    parts = []
    for unit in reversed(units):
        cards = header_lines(unit)
        name = f"HDU {unit.index}" if len(units) > 1 else ""
        parts.append(HeaderPart(name, cards[:_MOST_CARDS], max(len(cards) - _MOST_CARDS, 0)))
    return parts


def _drawn(observation: Observation, most_px: int) -> bytes:
    path = storage.open_stored(observation.fits_file_path)
    unit = find_image(path, observation.hdu_index)[-1]
    if unit.is_compressed_image and prod(unit.image_shape) > _MOST_COMPRESSED_PX:
        raise FitsRefused("too_large", "A compressed image of this size is not unpacked for a preview.")
    ny, nx = unit.image_shape[-2:]
    step = step_of((ny, nx), most_px)
    # Whole blocks in each band.
    rows = max(_BAND_PX // (nx * step), 1) * step
    buffer = io.BytesIO()
    Image.fromarray(draw(shrink(read_bands(path, unit, rows), step))).save(buffer, format="png")
    return buffer.getvalue()


def _path(key: UUID, size: str) -> str:
    return f"previews/{key}-{size}.png"
