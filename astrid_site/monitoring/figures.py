"""How much there is of everything that is watched: a handful of questions, none longer for a table of millions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import Count, QuerySet

from astrid_site.backup.known import Backup, newest
from catalog.chain.content import LATE
from catalog.files import disk
from catalog.models import JobStatus
from catalog.work.stages import queue_of
from curation.judgements.verdicts import OPEN
from curation.models import DeliveryStatus
from observations.models import Observation

# Rows of one state beyond this are not counted: a figure that stands here says "so many or more".
MOST = 10_000
# The stages that every frame goes through.
_OF_FRAMES = ["preprocess", "difference", "detect"]
_SECONDS_PER_HOUR = 3600.0

_JOB_STATES = (JobStatus.PENDING, JobStatus.RUNNING, JobStatus.FAILED)
# In the order of an index each, so that rows of other states are not read.
_JOBS = f"""
SELECT job.job_type, state, count(*) FROM unnest(%s::text[]) AS state
CROSS JOIN LATERAL (
    SELECT job_type FROM catalog_processingjob WHERE status = state ORDER BY created_at DESC LIMIT {MOST}) job
GROUP BY 1, 2
"""  # noqa: S608
_DELIVERY_STATES = (DeliveryStatus.WAITING, DeliveryStatus.FAILED, DeliveryStatus.DEAD)
_DELIVERIES = f"""
SELECT state, count(*) FROM unnest(%s::text[]) AS state
CROSS JOIN LATERAL (
    SELECT 1 FROM curation_delivery WHERE status = state ORDER BY id DESC LIMIT {MOST}) delivery
GROUP BY 1
"""  # noqa: S608
# What has no seal is sought from a little before the newest sealed line on, as the sealer does.
_UNSEALED = f"""
SELECT count(*) FROM (
    SELECT 1 FROM catalog_auditlog line
    LEFT JOIN LATERAL (SELECT true AS is_there FROM catalog_auditseal seal WHERE seal.id = line.id LIMIT 1) seal ON true
    WHERE seal.is_there IS NULL AND line.created_at > coalesce(
        (SELECT least(seal.created_at, sealed.created_at) - %(late)s::interval FROM catalog_auditseal seal
         LEFT JOIN catalog_auditlog sealed ON sealed.id = seal.id ORDER BY seal.position DESC LIMIT 1),
        '-infinity')
    ORDER BY line.created_at LIMIT {MOST}
) unsealed
"""  # noqa: S608
_SINGLE = f"""
SELECT pg_database_size(current_database()),
    coalesce((SELECT max(sequence) FROM curation_alertpublication), 0),
    (SELECT count(*) FROM unnest(%(open)s::text[]) AS state CROSS JOIN LATERAL (
        SELECT 1 FROM detection_detection WHERE status = state ORDER BY queue_score DESC, id LIMIT {MOST}) waiting),
    ({_UNSEALED})
"""  # noqa: S608
# A frame is through when the last job of its way has ended and none is left. A gap longer than a pause, such as the
# wait for the next frame or for the next day, is no time of work.
_THROUGHPUT = f"""
WITH frame AS (
    SELECT id::text AS id FROM observations_observation
    WHERE night = %(night)s AND status <> 'imported' ORDER BY observation_time DESC LIMIT {MOST}
), through AS (
    SELECT max(job.completed_at) AS at FROM frame
    JOIN catalog_processingjob job ON job.entity_id = frame.id AND job.entity_type = 'observation'
    WHERE job.job_type = ANY(%(types)s) GROUP BY frame.id HAVING bool_and(job.completed_at IS NOT NULL)
), step AS (SELECT extract(epoch FROM at - lag(at) OVER (ORDER BY at)) AS seconds FROM through)
SELECT count(*), sum(seconds) FROM step WHERE seconds <= %(pause)s
"""  # noqa: S608


@dataclass(frozen=True)
class Night:
    """The newest night of which there are frames; None and nothing before the first."""

    date: object = None
    frames: tuple[tuple[str, int], ...] = ()
    # Of those that are through, while they came through; None before there are two.
    frames_per_hour: float | None = None


@dataclass(frozen=True)
class Figures:
    """What is watched beside `health`; counts of one state end at `MOST`."""

    # By queue and state; queue "" is that of commands.
    jobs: dict[tuple[str, str], int]
    deliveries: dict[str, int]
    published: int
    detections_waiting: int
    audit_unsealed: int
    database_bytes: int
    night: Night
    # None where the data root is gone.
    disk: disk.DiskUse | None
    # None where none is known.
    backup: Backup | None


def figures() -> Figures:
    """Look at everything that is watched, in six questions."""
    jobs: Counter[tuple[str, str]] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(_JOBS, [[state.value for state in _JOB_STATES]])
        for job_type, status, count in cursor.fetchall():
            jobs[queue_of(job_type), status] += count
        cursor.execute(_DELIVERIES, [[state.value for state in _DELIVERY_STATES]])
        deliveries = dict(cursor.fetchall())
        cursor.execute(_SINGLE, {"late": str(LATE), "open": list(OPEN)})
        database_bytes, published, waiting, unsealed = cursor.fetchone()
    queues = (*settings.QUEUES, "")
    return Figures(
        jobs={(queue, state.value): jobs[queue, state.value] for queue in queues for state in _JOB_STATES},
        deliveries={state.value: deliveries.get(state.value, 0) for state in _DELIVERY_STATES},
        published=published,
        detections_waiting=waiting,
        audit_unsealed=unsealed,
        database_bytes=database_bytes,
        night=newest_night(Observation.objects.with_frame()),
        disk=disk_use(),
        backup=newest(),
    )


def newest_night(frames: QuerySet[Observation]) -> Night:
    """Return how far the newest night's of these frames have come, and how fast all of that night do."""
    newest = frames.order_by("-night").values("night")[:1]
    counts = frames.filter(night=newest).order_by("status").values_list("night", "status").annotate(Count("pk"))
    rows = list(counts)
    if not rows:
        return Night()
    night = rows[0][0]
    with connection.cursor() as cursor:
        pause = settings.HEALTH_WAIT_SECONDS["pipeline"]
        cursor.execute(_THROUGHPUT, {"night": night, "types": _OF_FRAMES, "pause": pause})
        count, seconds = cursor.fetchone()
    rate = count / float(seconds) * _SECONDS_PER_HOUR if seconds else None
    return Night(night, tuple((status, number) for _, status, number in rows), rate)


def disk_use() -> disk.DiskUse | None:
    """Return the use of the disk under the data root as this machine sees it, None where it is gone."""
    try:
        return disk.use()
    except OSError:
        return None
