"""What in the sky people decide about: every detection belongs to one object.

That is the thing that moves, where the detection is a member of a tracklet that chance does not explain, with the
tracklets of other nights that are the same; else its Source; else the detection alone. It is looked up and stored
nowhere: what belongs together is known better each night.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, UUIDField
from django.db.models.functions import Coalesce

from catalog.models import Visitor
from detection.models import Detection
from differencing.models import Tracklet


def object_key() -> Coalesce:
    """Return, for a query of detections, the key of each one's object: of a mover, a tracklet, a source or itself."""
    moving = Tracklet.objects.moving().filter(members=OuterRef("candidate"))
    of_several_nights_first = moving.order_by(F("mover").asc(nulls_last=True), "pk")
    whole = of_several_nights_first.values(whole=Coalesce("mover", "pk"))[:1]
    return Coalesce(Subquery(whole), F("source"), F("pk"), output_field=UUIDField())


def keys_of(detections: Collection[UUID]) -> dict[UUID, UUID]:
    """Return the key of the object of each of these detections."""
    rows = Detection.with_injected.filter(pk__in=detections).annotate(object_key=object_key())
    return dict(rows.values_list("pk", "object_key"))


def members_of(keys: Collection[UUID], user: Visitor) -> dict[UUID, list[UUID]]:
    """Return the live detections of each of these objects that a person may see, in the order of their frames."""
    if not keys:
        return {}
    members: dict[UUID, list[UUID]] = defaultdict(list)
    shown = Detection.objects.live().not_hidden_from(user)
    rows = shown.filter(pk__in=_belonging(keys)).annotate(object_key=object_key())
    in_order = rows.filter(object_key__in=keys).order_by("observation__mjd_utc", "pk")
    for pk, key in in_order.values_list("pk", "object_key"):
        members[key].append(pk)
    return members


def _belonging(keys: Collection[UUID]) -> QuerySet[Detection, dict[str, UUID]]:
    """Return the keys of the detections that may belong to objects, by their indexes: some may be another one's."""
    tracklets = Tracklet.objects.moving().filter(Q(pk__in=keys) | Q(mover__in=keys))
    moving = Detection.objects.filter(candidate__in=tracklets.values("members"))
    staying = Detection.objects.filter(source__in=keys)
    alone = Detection.objects.filter(pk__in=keys)
    return moving.values("pk").union(staying.values("pk"), alone.values("pk"))


def motion_of(keys: Collection[UUID]) -> dict[UUID, Tracklet]:
    """Return of each of these objects that moves its latest tracklet."""
    rows = Tracklet.objects.moving().filter(Q(pk__in=keys) | Q(mover__in=keys)).order_by("night", "pk")
    return {row.mover_id or row.pk: row for row in rows}
