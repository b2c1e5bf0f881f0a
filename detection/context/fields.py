"""Which fields want what catalogues hold of them, and whom to ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from catalog.configuration.values import snapshot
from detection.models import WHOLE_SKY_DEG, ContextArea, ContextKind
from observations.models import Field, Observation
from observations.places import frame_reach_deg

MOST_RADIUS_DEG = 5.0
# What lies beyond the frame and may still be its edge's neighbour, and what a frame is off its field's middle.
_MARGIN_DEG = 0.1


@dataclass(frozen=True)
class Part:
    """A circle on the sky, ICRS degrees."""

    ra_deg: float
    dec_deg: float
    radius_deg: float


WHOLE_SKY = Part(0.0, 0.0, WHOLE_SKY_DEG)


def service_of(kind: ContextKind) -> str:
    """Return the address that is asked for a kind of source; "" where none is set."""
    address: str = settings.ASTRID_CONTEXT_SERVICES.get(kind.name, "")
    return address


def kinds_served() -> list[ContextKind]:
    """Return the kinds for which a service is set."""
    return [kind for kind in ContextKind if service_of(kind)]


def lacks_context(field: Field) -> bool:
    """Say whether a service is to be asked about a field."""
    return any(True for kind in kinds_served() for _ in parts_lacking(kind, [field]))


def parts_lacking(kind: ContextKind, fields: Iterable[Field] | None = None) -> Iterator[Part]:
    """Yield the circle of each field whose sources of a kind were not fetched, or long ago."""
    days = float(snapshot()["context.max_age_days"])
    since = timezone.now() - timedelta(days=days)
    # What a service cut short it cuts again.
    asked = Q(is_complete=True) | Q(origin=service_of(kind))
    areas = list(ContextArea.objects.filter(asked, kind=kind, loaded_at__gte=since))
    for field in Field.objects.order_by("created_at", "id") if fields is None else fields:
        part = part_of(field)
        if part is not None:
            inner = part.radius_deg - _MARGIN_DEG
            if not any(area.holds(field.ra, field.dec, inner) for area in areas):
                yield part


def part_of(field: Field) -> Part | None:
    """Return the circle that holds a field's frames; None where their size on the sky is not known."""
    newest = Observation.objects.live().filter(field=field).order_by("-created_at").first()
    reach = frame_reach_deg(newest) if newest is not None else None
    if reach is None:
        return None
    radius = round(max(field.radius_deg, reach) + _MARGIN_DEG, 2)
    return Part(round(field.ra, 3), round(field.dec, 3), min(radius, MOST_RADIUS_DEG))
