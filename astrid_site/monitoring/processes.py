"""Which processes do the work, since when, and what each is at, as far as the rows of jobs tell."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Right
from django.utils import timezone

from catalog.models import JobAttempt, JobStatus, ProcessingJob, Visitor
from catalog.work.stages import queue_of
from observations.models import IncomingFile

# So far back, and among so many of the latest jobs, processes are looked for.
_LATEST, _BACK = 500, dt.timedelta(days=1)
# One that has done nothing for so long is not told of: a restart leaves many behind.
_IDLE_FOR = dt.timedelta(hours=1)
# The end of a log, in which its last line is.
_TAIL_CHARACTERS = 400
# "2024-03-01 21:00:00,123 INFO" before each line.
_WORDS_BEFORE = 3
_OF_COMMANDS = "commands"


@dataclass(frozen=True)
class Task:
    """A job that a process is at; ages in seconds."""

    job: ProcessingJob
    runs_s: float
    heartbeat_s: float
    # How far it has come in words, "" where nothing tells.
    progress: str

    @property
    def is_lost(self) -> bool:
        """Tell whether it has given no sign of life for so long that the work is taken back."""
        return self.heartbeat_s > settings.JOB_LAPSE_SECONDS


@dataclass(frozen=True)
class Process:
    """A process that took up jobs lately; of one without tasks only its queue's probe tells whether it still is there.

    since : when it took up the first of the jobs that were looked at. ended_at : when it ended the last one.
    """

    owner: str
    queues: tuple[str, ...]
    since: dt.datetime
    tasks: tuple[Task, ...]
    ended_at: dt.datetime | None


def processes(user: Visitor) -> list[Process]:
    """Return the processes that are at work, and those that were within the hour, the busy first.

    What is at jobs that a person may not see is not told.
    """
    now = timezone.now()
    rows = (
        ProcessingJob.objects.visible_to(user)
        .exclude(owner="")
        .filter(started_at__gte=now - _BACK)
        .defer("error_details")
    )
    by_owner: dict[str, list[ProcessingJob]] = defaultdict(list)
    for job in rows.order_by("-started_at")[:_LATEST]:
        by_owner[job.owner].append(job)
    running = [job for found in by_owner.values() for job in found if job.status == JobStatus.RUNNING]
    progress = _progress(running, user)
    found = [_process(owner, own, progress, now) for owner, own in by_owner.items()]
    recent = [one for one in found if one.tasks or (one.ended_at is not None and one.ended_at > now - _IDLE_FOR)]
    return sorted(recent, key=lambda one: (not one.tasks, one.queues, one.owner))


def _process(owner: str, own: list[ProcessingJob], progress: dict[UUID, str], now: dt.datetime) -> Process:
    tasks = tuple(
        Task(job, _seconds(now, job.started_at), _seconds(now, job.heartbeat_at), progress.get(job.pk, ""))
        for job in own
        if job.status == JobStatus.RUNNING
    )
    return Process(
        owner=owner,
        queues=tuple(sorted({queue_of(job.job_type) or _OF_COMMANDS for job in own})),
        since=min(job.started_at for job in own if job.started_at),
        tasks=tasks,
        ended_at=max((job.completed_at for job in own if job.completed_at), default=None),
    )


def _seconds(now: dt.datetime, moment: dt.datetime | None) -> float:
    return 0.0 if moment is None else max((now - moment).total_seconds(), 0.0)


def _progress(running: Iterable[ProcessingJob], user: Visitor) -> dict[UUID, str]:
    """Return how far jobs have come: a download by its bytes, others by the last line of their log."""
    jobs = {job.pk: job for job in running}
    attempts = JobAttempt.objects.visible_to(user).filter(job__in=jobs, attempt=F("job__attempt"))
    tails = attempts.annotate(tail=Right("log", _TAIL_CHARACTERS)).values_list("job", "tail")
    found = {key: _last_line(tail) for key, tail in tails}
    files = {job.entity_id: key for key, job in jobs.items() if job.entity_type == "incoming_file"}
    rows = IncomingFile.objects.filter(pk__in=files).values_list("pk", "name", "received_bytes", "size_bytes")
    for key, name, received, size in rows:
        whole = f" of {size / 1e6:.0f}" if size else ""
        found[files[str(key)]] = f"{name}: {received / 1e6:.0f}{whole} MB"
    return found


def _last_line(tail: str) -> str:
    """Return what the last line of a log says; one record may have several, of which the later are indented."""
    lines = [line for line in tail.splitlines() if line.strip() and not line.startswith(" ")]
    return lines[-1].split(" ", _WORDS_BEFORE)[-1] if lines else ""
