"""The stored cutouts of candidates as pictures for pages."""

from __future__ import annotations

import io
from uuid import UUID

from PIL import Image as PictureFile

from catalog.files import arrays, storage
from detection.numerics.display import Colours, Image, panels, side_by_side
from detection.numerics.stamps import STAMP_SIZE_PX


def path_of(observation_id: UUID, candidate_id: UUID) -> str:
    """Return where the detection stage keeps the cutouts of a candidate, scored high or low."""
    return f"cutouts/{observation_id}/{candidate_id}.npy"


# Pixels on a side and dots per pixel: all of it on a page of its own, the middle in a list.
_WHOLE, _SMALL = {"size": STAMP_SIZE_PX, "scale": 3}, {"size": 41, "scale": 2}
# Of one image that a page shows large.
_LARGE = {"size": STAMP_SIZE_PX, "scale": 6}
# The images of a cutout, in their order.
PARTS = ("science", "reference", "difference")


def picture(path: str, *, is_small: bool) -> bytes | None:
    """Return science, reference and difference beside each other as a PNG; None where the file is gone or no cutout."""
    cutouts = stored(path)
    return None if cutouts is None else _png(side_by_side(cutouts, **(_SMALL if is_small else _WHOLE)))


def part(path: str, name: str) -> bytes | None:
    """Return one of `PARTS` as a large PNG, in the greys that it shares with the others; None as above."""
    cutouts = stored(path)
    return None if cutouts is None else _png(panels(cutouts, **_LARGE)[PARTS.index(name)])


def parts(path: str) -> dict[str, bytes]:
    """Return each of `PARTS` as a large PNG; none where the file is gone or no cutout."""
    cutouts = stored(path)
    if cutouts is None:
        return {}
    return {name: _png(colours) for name, colours in zip(PARTS, panels(cutouts, **_LARGE), strict=True)}


def stored(path: str) -> Image | None:
    """Return a file of cutouts, (4, n, n); None where it is gone or holds none."""
    try:
        cutouts: Image = arrays.load(storage.open_stored(path))
    except (FileNotFoundError, ValueError, storage.OutsideStorage, storage.StorageUnreachable):
        return None
    is_square = cutouts.ndim == 3 and cutouts.shape[1] == cutouts.shape[2]
    return cutouts if is_square and cutouts.shape[0] == 4 else None


def version_of(path: str) -> str | None:
    """Return what changes when the file is written anew; None where it is gone."""
    try:
        known = storage.open_stored(path).stat() if path else None
    except (FileNotFoundError, storage.OutsideStorage, storage.StorageUnreachable):
        return None
    return f"{known.st_mtime_ns:x}-{known.st_size:x}" if known else None


def _png(colours: Colours) -> bytes:
    buffer = io.BytesIO()
    PictureFile.fromarray(colours).save(buffer, format="png")
    return buffer.getvalue()
