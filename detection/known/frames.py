"""Which frames want their known objects computed."""

from __future__ import annotations

from datetime import date

from django.db.models import F, Q, QuerySet, Subquery

from detection.models import OrbitSet, SearchOutcome
from observations.models import Observation

# Where a frame's solution moved it by more than this, a tenth of the margin about it, it is asked again; in time, by
# more than a second.
_MOVED_DEG, _LATER_DAYS = 0.01, 1.0 / 86400.0


def has_orbits() -> bool:
    """Say whether any orbits are loaded."""
    return OrbitSet.objects.complete().exists()


def wanting(night: date | None = None, *, again: bool = False) -> QuerySet[Observation]:
    """Return frames whose known objects were never computed, or by older orbits, another time or another place.

    `again`: the others too. The frames of one night stand together, the latest night first.
    """
    rows = Observation.objects.live().select_related("telescope")
    if night is not None:
        rows = rows.filter(night=night)
    if not again:
        rows = rows.filter(_is_out_of_date())
    return rows.order_by("-night", "mjd_utc", "id")


def _is_out_of_date() -> Q:
    loaded = OrbitSet.objects.complete().order_by("-updated_at").values("updated_at")[:1]
    search = "known_object_search"
    return (
        Q(**{f"{search}__isnull": True})
        | Q(**{f"{search}__searched_at__lt": Subquery(loaded)})
        | Q(**{f"{search}__outcome": SearchOutcome.NO_EPHEMERIDES})
        | ~Q(mjd_utc__range=(F(f"{search}__mjd_utc") - _LATER_DAYS, F(f"{search}__mjd_utc") + _LATER_DAYS))
        | ~Q(dec__range=(F(f"{search}__dec") - _MOVED_DEG, F(f"{search}__dec") + _MOVED_DEG))
        | ~Q(ra__range=(F(f"{search}__ra") - _MOVED_DEG, F(f"{search}__ra") + _MOVED_DEG))
    )
