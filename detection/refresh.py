"""Order anew what is known of the sky and has grown old, where it is set whence it comes."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalog.configuration.values import snapshot
from catalog.models import JobStatus, ProcessingJob
from catalog.work import jobs
from detection.context.fields import kinds_served, lacks_context
from detection.known.fetching import file_of
from detection.models import OrbitSet
from observations.models import Field

# What failed is tried again after so long: a service that is down is not asked all day.
_AGAIN_AFTER = timedelta(days=1)
# So many fields at once: services are asked one circle after the other.
_MOST_FIELDS = 100


def order_refresh() -> int:
    """Order the loading of what is older than is configured; return how many jobs that is, none without a source."""
    return _order_orbits() + _order_context()


def _order_orbits() -> int:
    """Order each file of ASTRID_ORBITS that was not loaded, by whomever, for so long."""
    since = timezone.now() - timedelta(days=float(snapshot()["known_objects.reload_after_days"]))
    names = sorted({file_of(address) for address in settings.ASTRID_ORBITS} - _tried("orbits", since))
    loaded = OrbitSet.objects.complete().filter(created_at__gte=since).values_list("file_name", flat=True)
    return _order("orbits", "orbits", [name for name in names if name not in set(loaded)])


def _order_context() -> int:
    """Order what services gave of fields long ago, those that have frames."""
    if not kinds_served():
        return 0
    # A service that has nothing new to give is not asked twice a day either.
    tried = _tried("context", timezone.now() - _AGAIN_AFTER)
    old: list[str] = []
    for field in Field.objects.order_by("created_at", "id").iterator():
        if len(old) == _MOST_FIELDS:
            break
        if str(field.pk) not in tried and lacks_context(field):
            old.append(str(field.pk))
    return _order("context", "field", old)


def _tried(job_type: str, since: object) -> set[str]:
    """Return what was ordered since then; what failed, only if that was lately."""
    failed = Q(status__in=(JobStatus.FAILED, JobStatus.CANCELLED), created_at__lt=timezone.now() - _AGAIN_AFTER)
    rows = ProcessingJob.objects.filter(job_type=job_type, created_at__gte=since).exclude(failed)
    return set(rows.values_list("entity_id", flat=True))


def _order(job_type: str, entity_type: str, keys: list[str]) -> int:
    with transaction.atomic():
        for key in keys:
            jobs.enqueue(job_type, entity_type, key)
    return len(keys)
