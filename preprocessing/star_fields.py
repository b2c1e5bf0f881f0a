"""Parts of the sky whose stars are kept in the database: fetched once, used without a network ever after."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator

import numpy as np
from django.conf import settings
from django.utils import timezone

from catalog.people import audit
from catalog.work import jobs
from observations.models import Field, Observation, WcsQuality
from observations.places import frame_reach_deg
from preprocessing.models import MOST_RADIUS_DEG, StarCatalogField
from preprocessing.star_service import Answer, Circle, ask

# Stars down to here solve a frame of five arcminutes in most of the sky, and give it a zero point.
FAINTEST_MAG = 18.0
# How far from its claim a frame may lie whose position is a pointing alone; a header's own WCS is better.
NOMINAL_ERROR_DEG, HEADER_ERROR_DEG = 1.5, 0.2
# A frame may be a tenth wider on the sky than its claimed scale makes it, and a bit more.
FRAME_MARGIN = 1.2


def fetch_field(circle: Circle) -> StarCatalogField:
    """Ask the service of the settings for a circle and keep what it gives, in place of an earlier answer.

    Raises ServiceFailed with a sentence.
    """
    answer = ask(circle)
    content = _packed(answer)
    values = {
        "name": answer.stars.name, "bands": [list(band) for band in answer.stars.bands],
        "faintest_mag": answer.faintest_mag, "epoch_year": answer.epoch_year, "star_count": len(answer.stars.ra_deg),
        "stars": content, "sha256": hashlib.sha256(content).hexdigest(), "fetched_at": timezone.now(),
    }  # fmt: skip
    key = {
        "ra": circle.ra_deg % 360.0, "dec": circle.dec_deg, "radius_deg": circle.radius_deg,
        "service": settings.ASTRID_STAR_CATALOG_SERVICE,
    }  # fmt: skip
    with jobs.writing():
        row, _ = StarCatalogField.objects.update_or_create(**key, defaults=values)
        audit.record(row, "fetch_star_catalog", actor=audit.MACHINE, summary=f"{row.star_count} stars: {row}")
    return row


def _packed(answer: Answer) -> bytes:
    """Return the stars as bytes: a milliarcsecond needs doubles, magnitudes and motions do not."""
    stars = answer.stars
    order = np.argsort(stars.dec_deg, kind="stable")
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        ra=stars.ra_deg[order],
        dec=stars.dec_deg[order],
        pm_ra=stars.motion[0][order].astype(np.float32),
        pm_dec=stars.motion[1][order].astype(np.float32),
        magnitudes=np.array(stars.magnitudes, dtype=np.float32)[:, order],
    )
    return buffer.getvalue()


def circle_for(observation: Observation, faintest_mag: float = FAINTEST_MAG) -> Circle | None:
    """Return the part of the sky that solving a frame takes; None where its scale is not known."""
    reach = frame_reach_deg(observation)
    if reach is None:
        return None
    error = HEADER_ERROR_DEG if observation.delivered_wcs_quality == WcsQuality.HEADER else NOMINAL_ERROR_DEG
    radius = min(round(FRAME_MARGIN * reach + error, 2), MOST_RADIUS_DEG)
    return Circle(round(observation.ra, 4), round(observation.dec, 4), radius, faintest_mag)


def circles_lacking(faintest_mag: float = FAINTEST_MAG) -> Iterator[Circle]:
    """Yield the circle of each field in the database whose stars are not kept yet, by its anchor or newest frame."""
    for field in Field.objects.select_related("anchor").order_by("created_at", "id"):
        frame = field.anchor or Observation.objects.live().filter(field=field).order_by("-created_at").first()
        if frame is None or (circle := circle_for(frame, faintest_mag)) is None:
            continue
        reach = frame_reach_deg(frame) or 0.0
        if StarCatalogField.objects.all().covering(circle.ra_deg, circle.dec_deg, reach) is None:
            yield circle
