"""The four images of a difference as pictures for its page, drawn when somebody first looks and kept."""

from __future__ import annotations

import contextlib
import io

from PIL import Image

from catalog import storage
from differencing.models import DifferenceRun
from differencing.numerics.display import SCORE_SIGMA, Greys, painted, shared_greys, symmetric_grey
from observations.numerics.fits_facts import FitsRefused
from observations.numerics.fits_products import read_image

KINDS = ("science", "reference", "difference", "score")
MOST_PX = 2048
_GONE = (FileNotFoundError, FitsRefused, KeyError, storage.OutsideStorage, storage.StorageUnreachable)


def picture(run: DifferenceRun, kind: str) -> bytes | None:
    """Return a PNG of one of `KINDS`; None where the product is gone. Products keep their names and never change."""
    path = f"previews/{run.pk}-{run.inputs_hash[:12]}-{kind}.png"
    try:
        return storage.open_stored(path).read_bytes()
    except (FileNotFoundError, storage.StorageUnreachable):
        pass  # It is drawn now.
    try:
        greys = _greys(run, kind)
    except _GONE:
        return None
    buffer = io.BytesIO()
    Image.fromarray(painted(greys, MOST_PX)).save(buffer, format="png", compress_level=3)
    # Where there is no room for it, it is drawn again the next time.
    with contextlib.suppress(storage.StorageFull, storage.StorageUnreachable):
        storage.write_atomically(path, buffer.getvalue())
    return buffer.getvalue()


def _greys(run: DifferenceRun, kind: str) -> Greys:
    if kind in ("science", "reference"):
        images, _ = read_image(storage.open_stored(run.reference_aligned_path))
        return shared_greys(images["SCIENCE"], images["SCI"])[KINDS.index(kind)]
    path = run.difference_image_path if kind == "difference" else run.significance_map_path
    images, _ = read_image(storage.open_stored(path))
    return symmetric_grey(images["SCI"], None if kind == "difference" else SCORE_SIGMA)
