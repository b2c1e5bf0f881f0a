"""The images of a subtraction as tiles, cut from the mapped products when a page asks for them.

Levels below COARSE_LEVEL are cut from the product itself, of which a tile reads at most a megapixel. The others are cut
from a copy at COARSE_LEVEL, a 64th of the product, that is made once and kept beside the pictures.
"""

from __future__ import annotations

import contextlib
import io
import json
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from catalog.files import arrays, storage
from differencing.models import DifferenceRun
from differencing.numerics import pyramid
from differencing.numerics.pyramid import COARSE_LEVEL, Plane
from differencing.pictures import images
from differencing.pictures.put_in import Put, put_into

# Browsers keep a tile for ever under its address, which therefore changes with what is sent and with what is kept.
FORMAT = 1
_COARSE = np.dtype([("value", "<f4"), ("cause", "u1")])
# Noise is hardly compressible: what longer searches find costs more time than to send it.
_GZIP_BITS = 31
# One copy at a time: the first tiles of a page are asked for together, and all of them wait for it.
_making = threading.Lock()
# Pixels of the images that greys are made from; the score is in sigma and needs none.
_SAMPLED = images.KINDS[:3]


def version_of(run: DifferenceRun, put: Sequence[Put] = ()) -> str | None:
    """Return what changes when any of the images does, or what is put into them; None without a science image."""
    versions = [images.version_of(run, kind) for kind in images.KINDS]
    return images.shown_version(f"{FORMAT} {versions}", put) if versions[0] else None


@dataclass(frozen=True)
class Pyramid:
    """What a page must know to ask for tiles: the images' size in pixels, their highest level, and their version."""

    width: int
    height: int
    top: int
    version: str


def pyramid_of(run: DifferenceRun, put: Sequence[Put] = ()) -> Pyramid | None:
    """Return how the tiles of a run lie; None where its science image cannot be read."""
    plane, version = images.plane_of(run, "science"), version_of(run, put)
    if plane is None or version is None:
        return None
    height, width = plane.values.shape
    return Pyramid(width, height, pyramid.top_level((height, width)), version)


def tile(
    run: DifferenceRun, kind: str, version: str, place: tuple[int, int, int], put: Sequence[Put] = ()
) -> bytes | None:
    """Return the tile at level, column and row, with what is put into it; None where there is none.

    version : of what is stored.

    The first line is JSON: `zero` and `step` of the codes (`differencing.numerics.pyramid`), and whether a plane that
    says why pixels are bad follows on the four of the codes.
    """
    level, column, row = place
    found = _plane(run, kind, version, level)
    if found is None:
        return None
    plane, times = found
    try:
        values, causes = pyramid.tile(plane, times, column, row)
    except IndexError:
        return None
    if put and (whole := images.plane_of(run, kind)) is not None:
        put_into(values, whole, kind, put, 1 << level, (pyramid.TILE_PX * row, pyramid.TILE_PX * column))
    packed = pyramid.pack(values)
    has_mask = bool(causes.any())
    head = json.dumps({"zero": packed.zero, "step": packed.step, "has_mask": has_mask}).encode()
    return b"".join([head, b"\n", packed.planes, causes.tobytes() if has_mask else b""])


def sample(run: DifferenceRun, version: str, level: int) -> bytes | None:
    """Return good pixels of science, reference and difference at a level, from which the page makes its greys.

    The first line is JSON: how many there are of each; they follow as float32, the lower byte first.
    """
    drawn = []
    for kind in _SAMPLED:
        found = _sampled(run, kind, version, level)
        if found is None:
            return None
        drawn.append(pyramid.sample(*found).astype("<f4"))
    head = json.dumps({"counts": [part.size for part in drawn]}).encode()
    return b"".join([head, b"\n", *(part.tobytes() for part in drawn)])


def compressed(body: bytes) -> bytes:
    """Return a body as gzip."""
    compressor = zlib.compressobj(1, wbits=_GZIP_BITS, strategy=zlib.Z_RLE)
    return compressor.compress(body) + compressor.flush()


def prepare(run: DifferenceRun) -> None:
    """Make the copies that coarse tiles are cut from, so that the first who opens a large image does not wait."""
    known = pyramid_of(run)
    if known is not None and known.top >= COARSE_LEVEL:
        for kind in images.KINDS:
            _coarse(run, kind, known.version)


def _plane(run: DifferenceRun, kind: str, version: str, level: int) -> tuple[Plane, int] | None:
    """Return what tiles of a level are cut from, and how often it is halved for them."""
    if level < COARSE_LEVEL:
        plane = images.plane_of(run, kind)
        return None if plane is None or level > pyramid.top_level(plane.values.shape) else (plane, level)
    coarse = _coarse(run, kind, version)
    # Of an image that is this small at COARSE_LEVEL nothing higher is asked for.
    if coarse is None or level - COARSE_LEVEL > pyramid.top_level(coarse.values.shape):
        return None
    return coarse, level - COARSE_LEVEL


def _sampled(run: DifferenceRun, kind: str, version: str, level: int) -> tuple[Plane, int] | None:
    """Return what a sample is taken from; nobody waits for a copy to be made of which it needs a few windows."""
    if level == COARSE_LEVEL and _kept(run, kind, version) is None:
        plane = images.plane_of(run, kind)
        return None if plane is None else (plane, level)
    return _plane(run, kind, version, level)


def _coarse(run: DifferenceRun, kind: str, version: str) -> Plane | None:
    """Return the copy at COARSE_LEVEL, made anew where it is not kept."""
    kept = _kept(run, kind, version)
    if kept is not None:
        return kept
    with _making:
        return _kept(run, kind, version) or _made(run, kind, version)


def _kept(run: DifferenceRun, kind: str, version: str) -> Plane | None:
    with contextlib.suppress(FileNotFoundError, storage.StorageUnreachable):
        return _opened(storage.open_stored(_place(run, kind, version)))
    return None


# Mapped, not read: what is open costs an address and no memory of its own.
@lru_cache(maxsize=16)
def _opened(path: Path) -> Plane:
    both = arrays.load(path, is_mapped=True)
    return Plane(both["value"], both["cause"])


def _made(run: DifferenceRun, kind: str, version: str) -> Plane | None:
    plane = images.plane_of(run, kind)
    if plane is None:
        return None
    values, causes = pyramid.halved(plane, COARSE_LEVEL)
    both = np.empty(values.shape, _COARSE)
    both["value"], both["cause"] = values, causes
    buffer = io.BytesIO()
    np.save(buffer, both)
    images.keep(_place(run, kind, version), buffer.getvalue(), older=f"coarse-{kind}-*.npy")
    return Plane(values, causes)


def _place(run: DifferenceRun, kind: str, version: str) -> str:
    return f"previews/differences/{run.pk}/coarse-{kind}-{version}.npy"
