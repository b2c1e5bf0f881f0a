"""The images of a subtraction as pictures for pages: made when somebody asks for them, and kept."""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image as PictureFile

from catalog.files import storage
from differencing.models import DifferenceRun
from differencing.numerics import display
from differencing.numerics.pyramid import Plane
from differencing.pictures.put_in import Put, put_into
from observations.models import WcsQuality
from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.mapped import Mapped, Value, map_images

# In the order of the keys 1 to 4.
KINDS = ("science", "reference", "difference", "score")
MOST_PX = 2048
# Counted up when the same product is to look different, so that no kept picture is taken for a new one.
_RECIPE = 1
_GONE = (FileNotFoundError, storage.OutsideStorage, storage.StorageUnreachable, storage.StorageFull)
_LINEAR = re.compile(r"(CRPIX|CRVAL|CDELT)[12]|(PC|CD)[12]_[12]")
_DISTORTION = re.compile(r"[AB]_(ORDER|\d+_\d+)")


@dataclass(frozen=True)
class Layout:
    """How the pictures of a run lie over its pixels.

    width, height : what the picture covers, in pixels; a little more than the image where pixels are averaged.
    factor : pixels on a side that one dot of the picture averages.
    wcs : the numbers of a TAN or TAN-SIP projection by keyword; None where the position is not measured.
    """

    width: int
    height: int
    factor: int
    wcs: dict[str, float] | None


def layout_of(run: DifferenceRun) -> Layout | None:
    """Return how the pictures of a run lie; None where it has no images or they are gone."""
    found = _mapped(run.reference_aligned_path)
    if found is None or "SCI" not in found.images:
        return None
    height, width = found.images["SCI"].shape
    factor = display.factor_for((height, width), MOST_PX)
    is_measured = run.observation.wcs_quality != WcsQuality.NOMINAL
    covered_width, covered_height = (factor * math.ceil(side / factor) for side in (width, height))
    return Layout(covered_width, covered_height, factor, _projection(found.cards) if is_measured else None)


def version_of(run: DifferenceRun, kind: str) -> str | None:
    """Return what changes when the picture does; None where its image is gone."""
    try:
        known = [storage.open_stored(path).stat() for path in _paths(run, kind)]
    except _GONE:
        return None
    return "-".join([f"{_RECIPE}", *(f"{one.st_mtime_ns:x}-{one.st_size:x}" for one in known)])


def shown_version(version: str, put: Sequence[Put]) -> str:
    """Return what stands for a version of what is stored, with what is put into it; all of these look alike."""
    names = ",".join(sorted(one.name for one in put))
    return hashlib.sha256(f"{version} {names}".encode()).hexdigest()[:24]


def picture(run: DifferenceRun, kind: str, version: str, put: Sequence[Put] = ()) -> bytes | None:
    """Return the picture of this version as PNG, made anew where it is not kept; None where no image can be read.

    version : of what is stored. With sources put into it, it is for one person, and is not kept.
    """
    if put:
        return _made(run, kind, put).get(kind)
    with contextlib.suppress(FileNotFoundError, storage.StorageUnreachable):
        return storage.open_stored(_place(run, kind, version)).read_bytes()
    made = _made(run, kind)
    for name, content in made.items():
        keep(_place(run, name, version), content, older=f"{name}-*.png")
    return made.get(kind)


def _paths(run: DifferenceRun, kind: str) -> tuple[str, ...]:
    """Return the files a picture is made from: with the difference lies the mask, the matched pair lies in one."""
    of_kind = {"difference": run.difference_image_path, "score": run.significance_map_path}
    return (run.difference_image_path, of_kind.get(kind, run.reference_aligned_path))


def _place(run: DifferenceRun, kind: str, version: str) -> str:
    return f"previews/differences/{run.pk}/{kind}-{version}.png"


def keep(place: str, content: bytes, older: str) -> None:
    """Keep what was made in the place of its older versions; where there is no room it is made again the next time."""
    try:
        path = storage.resolve(storage.write_atomically(place, content))
    except (storage.StorageFull, storage.StorageUnreachable):
        return
    for old in path.parent.glob(older):
        if old != path:
            old.unlink(missing_ok=True)


def plane_of(run: DifferenceRun, kind: str) -> Plane | None:
    """Return an image of a run with its mask, both mapped; None where it cannot be read."""
    difference, other = _mapped(run.difference_image_path), _mapped(_paths(run, kind)[-1])
    if difference is None or other is None:
        return None
    image, mask = other.images.get("SCIENCE" if kind == "science" else "SCI"), difference.images.get("MASK")
    return None if image is None or mask is None or image.shape != mask.shape else Plane(image, mask)


def _made(run: DifferenceRun, kind: str, put: Sequence[Put] = ()) -> dict[str, bytes]:
    """Make a picture; science and reference, which share one scale, together."""
    names = KINDS[:2] if kind in KINDS[:2] else (kind,)
    planes = [plane for plane in (plane_of(run, name) for name in names) if plane is not None]
    if len(planes) != len(names):
        return {}
    factor = display.factor_for(planes[0].values.shape, MOST_PX)
    shown = [display.block_mean(plane.values, plane.causes, factor) for plane in planes]
    for name, plane, (means, _) in zip(names, planes, shown, strict=True):
        put_into(means, plane, name, put, factor, (0, 0))
    if len(shown) == 2:
        return {name: _png(codes) for name, codes in zip(names, display.shared_codes(*shown), strict=True)}
    codes_of = display.difference_codes if kind == "difference" else display.score_codes
    return {kind: _png(codes_of(*shown[0]))}


def _png(codes: display.Codes) -> bytes:
    painted = PictureFile.fromarray(codes, mode="P")
    painted.putpalette(display.palette())
    buffer = io.BytesIO()
    # Noise hardly shrinks, and people wait.
    painted.save(buffer, format="png", compress_level=1)
    return buffer.getvalue()


def _mapped(path: str) -> Mapped | None:
    try:
        return map_images(storage.open_stored(path)) if path else None
    except (*_GONE, FitsRefused):
        return None


def _projection(cards: dict[str, Value]) -> dict[str, float] | None:
    """Return the numbers of the projection; None for one that is not turned the usual way or no TAN."""
    kinds = (cards.get("CTYPE1"), cards.get("CTYPE2"))
    straight, distorted = ("RA---TAN", "DEC--TAN"), ("RA---TAN-SIP", "DEC--TAN-SIP")
    if kinds not in (straight, distorted) or cards.get("LONPOLE", 180.0) != 180.0:
        return None
    numbers = {key: float(value) for key, value in cards.items() if isinstance(value, int | float)}
    kept = {key: value for key, value in numbers.items() if _LINEAR.fullmatch(key)}
    if kinds == distorted:
        kept |= {key: value for key, value in numbers.items() if _DISTORTION.fullmatch(key)}
    return kept if {"CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2"} <= kept.keys() else None
