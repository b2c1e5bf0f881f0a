"""Pictures of frames for pages, drawn from the raw file when somebody first looks and kept beside it."""

from __future__ import annotations

import contextlib
import io
from uuid import UUID

from PIL import Image

from catalog import storage
from observations.models import Observation
from observations.numerics.display import preview
from observations.numerics.fits import FitsRefused, open_image

# Longest side of the picture in a list and on the frame's own page.
SIZES = {"small": 128, "large": 1024}


def picture(observation: Observation, size: str) -> bytes | None:
    """Return a PNG of a frame, which like the frame never changes; None where the file is gone or cannot be read."""
    path = _path(observation.pk, size)
    try:
        return storage.open_stored(path).read_bytes()
    except (FileNotFoundError, storage.StorageUnreachable):
        pass  # It is drawn now.
    try:
        pixels = open_image(storage.open_stored(observation.fits_file_path), observation.hdu_index)
    except (FileNotFoundError, FitsRefused, storage.OutsideStorage, storage.StorageUnreachable):
        return None
    buffer = io.BytesIO()
    Image.fromarray(preview(pixels, SIZES[size])).save(buffer, format="png")
    # Where there is no room for it, it is drawn again the next time.
    with contextlib.suppress(storage.StorageFull, storage.StorageUnreachable):
        storage.write_atomically(path, buffer.getvalue())
    return buffer.getvalue()


def _path(key: UUID, size: str) -> str:
    return f"previews/{key}-{size}.png"
