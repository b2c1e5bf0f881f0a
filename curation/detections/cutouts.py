"""The images around a detection as files: FITS with their WCS, and pictures."""

from __future__ import annotations

from detection.cutouts import pictures
from detection.cutouts.overlay import local_wcs
from detection.cutouts.pictures import PARTS
from detection.models import Detection
from observations.numerics.fits.stamps import write_stamp

_FITS, _PNG = ".fits.gz", ".png"
_ALL = f"cutouts{_PNG}"
CUTOUTS = (*(f"{name}{_FITS}" for name in PARTS), *(f"{name}{_PNG}" for name in PARTS), _ALL)


def cutout_of(row: Detection, name: str) -> bytes | None:
    """Return one of `CUTOUTS`; None where the images are gone."""
    if name == _ALL:
        return pictures.picture(row.cutouts_path, is_small=False)
    if name.endswith(_PNG):
        return pictures.part(row.cutouts_path, name.removesuffix(_PNG))
    images = pictures.stored(row.cutouts_path)
    part = name.removesuffix(_FITS)
    return None if images is None else write_stamp(images[PARTS.index(part)], part, local_wcs(row))
