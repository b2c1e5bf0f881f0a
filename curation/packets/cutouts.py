"""The three images around a detection, each as a FITS file of its own."""

from __future__ import annotations

from collections.abc import Mapping

from curation.packets.facts import CutoutFacts
from detection.cutouts.overlay import local_wcs
from detection.cutouts.pictures import PARTS, stored
from detection.models import Detection
from observations.numerics.fits.stamps import write_stamp


def cutouts_of(detection: Detection, number: int) -> Mapping[str, CutoutFacts]:
    """Return science, reference and difference by name, as they are stored; none where they are gone."""
    images = stored(detection.cutouts_path) if detection.cutouts_path else None
    if images is None:
        return {}
    wcs = local_wcs(detection)
    return {
        name: CutoutFacts(file_name=f"{number}_{name}.fits.gz", stamp_data=write_stamp(image, name, wcs))
        for name, image in zip(PARTS, images[:3], strict=True)
    }
