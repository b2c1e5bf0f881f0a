"""What is known in the whole of a frame, to be drawn over its images: detections, and what catalogues hold there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.db.models import F, Q
from django.urls import reverse

from catalog.files import storage
from catalog.models import Visitor
from catalog.writing import number
from detection.context.near import stood_at, year_of
from detection.context.stars import fields_about, kept_near
from detection.models import ContextKind, ContextSource, Detection
from differencing.judges import rules
from differencing.models import DifferenceRun
from observations.models import WcsQuality
from observations.numerics.fits.facts import FitsRefused
from observations.numerics.fits.mapped import Mapped, map_images
from observations.numerics.sphere import separation_deg

# The brightest of each catalogue; more would hide the image.
MOST_OF_EACH = 1000


@dataclass(frozen=True)
class Over:
    """A mark: 0-based pixel from the lower left, what it is, what is said of it, and where it leads ("" nowhere)."""

    x: float
    y: float
    kind: str
    text: str
    url: str = ""


@dataclass(frozen=True)
class _Placed:
    ra: float
    dec: float
    kind: str
    text: str


def over_frame(run: DifferenceRun, user: Visitor) -> list[Over]:
    """Return what this person may see over the images of a subtraction; a nominal position places no catalogue."""
    rows = Detection.with_injected.visible_to(user).filter(candidate__difference_run=run)
    own = rows.filter(Q(is_injected=False) | Q(candidate__in=rules().given(user))).only("pixel_x", "pixel_y")
    found = [
        Over(row.pixel_x, row.pixel_y, "detection", "Detection", reverse("curation:detection", args=[row.pk]))
        for row in own
    ]
    mapped = _mapped(run.difference_image_path)
    wcs = mapped.wcs() if mapped is not None and run.observation.wcs_quality != WcsQuality.NOMINAL else None
    if mapped is None or wcs is None or not wcs.has_celestial:
        return found
    height, width = mapped.plane().shape
    ra, dec = wcs.all_pix2world([width / 2, 0, width, 0, width], [height / 2, 0, 0, height, height], 0)
    reach_arcsec = 3600.0 * float(np.max(separation_deg(ra[1:], dec[1:], ra[0], dec[0])))
    placed = list(_in_catalogues(float(ra[0]), float(dec[0]), reach_arcsec, year_of(run.observation.mjd_utc)))
    if not placed:
        return found
    places = np.array([(one.ra, one.dec) for one in placed])
    x, y = wcs.all_world2pix(places[:, 0], places[:, 1], 0, quiet=True)
    inside = (x >= -0.5) & (y >= -0.5) & (x < width - 0.5) & (y < height - 0.5)
    return found + [Over(float(x[k]), float(y[k]), placed[k].kind, placed[k].text) for k in np.flatnonzero(inside)]


def _in_catalogues(ra: float, dec: float, reach_arcsec: float, year: float) -> Iterator[_Placed]:
    """Yield the sources of a circle where they stood in a year, the brightest of each kind."""
    rows = ContextSource.objects.within([(ra, dec, reach_arcsec)]).select_related("area")
    for kind in ContextKind:
        of_kind = rows.filter(area__kind=kind).order_by(F("mag").asc(nulls_last=True), "id")
        for source in of_kind[:MOST_OF_EACH]:
            words = (kind.value.capitalize(), source.name, source.type_name, _magnitude(source.mag, source.band))
            text = ", ".join([*filter(None, words), source.area.catalogue])
            yield _Placed(*stood_at(source, source.area, year), kind.value, text)
    kept = kept_near(ra, dec, reach_arcsec, year, fields_about([dec]))
    if kept is not None:
        for star in sorted(kept.stars, key=lambda one: one.mag if one.mag is not None else np.inf)[:MOST_OF_EACH]:
            text = ", ".join(filter(None, ("Star", _magnitude(star.mag, star.band), kept.catalogue)))
            yield _Placed(star.ra, star.dec, ContextKind.STAR.value, text)


def _magnitude(mag: float | None, band: str) -> str:
    if mag is None:
        return ""
    return f"{band} = {number(mag, 1)}" if band else f"{number(mag, 1)} mag"


def _mapped(path: str) -> Mapped | None:
    try:
        return map_images(storage.open_stored(path)) if path else None
    except (OSError, FitsRefused, storage.OutsideStorage, storage.StorageUnreachable):
        return None
