"""Run the stages to the end in this process: the foreground twin of the workers, on the same job rows."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from astrid_site.night.document import document
from catalog.configuration.values import snapshot
from catalog.ids import uuid7
from catalog.models import JobStatus, ProcessingJob
from catalog.work import jobs
from catalog.work.stages import stages
from observations.delivery.ingest import IngestResult, Overrides, ingest_paths, order_processing
from observations.models import Observation

Report = Callable[[str], None]


@dataclass(frozen=True)
class Processed:
    """What became of files and folders that were processed to the end."""

    results: tuple[IngestResult, ...]

    @property
    def observation_ids(self) -> set[UUID]:
        return {row.entity_id for row in self.results if row.entity_type == "observation" and row.entity_id}

    @property
    def has_ingested(self) -> bool:
        return any(row.entity_id for row in self.results)

    def document(self) -> dict[str, list[dict[str, object]]]:
        """Return what the database holds about these observations now, and what was refused."""
        return document(self.observation_ids, [row for row in self.results if row.is_refused])


def process_paths(
    paths: Iterable[str | Path], overrides: Overrides, report: Report, prepare: Callable[[], object] | None = None
) -> Processed:
    """Ingest files and folders, prepare what is needed besides, and run every stage to the end in this process."""
    workflow_id = str(uuid7())
    done = Processed(_ingest(paths, overrides, report, workflow_id))
    if prepare is not None:
        prepare()
    run_stages(Observation.objects.filter(pk__in=done.observation_ids), report, workflow_id)
    return done


def deliver(paths: Iterable[str | Path], overrides: Overrides, report: Report) -> Processed:
    """Ingest files and folders in this process and leave the processing of what is new to the workers."""
    workflow_id = str(uuid7())
    with jobs.ticket("deliver", workflow_id):
        return Processed(_ingest(paths, overrides, report, workflow_id))


def _ingest(
    paths: Iterable[str | Path], overrides: Overrides, report: Report, workflow_id: str
) -> tuple[IngestResult, ...]:
    found = ingest_paths(paths, overrides=overrides, config=snapshot(), report=report, workflow_id=workflow_id)
    return tuple(found)


def run_stages(observations: Iterable[Observation], report: Report, workflow_id: str = "") -> None:
    """Take observations from ingested to detected in this process; each failure is a row and a line.

    Work that was done before with the same inputs is found done by its stage and left alone.
    """
    workflow_id = workflow_id or str(uuid7())
    with transaction.atomic():
        order_processing(observations, workflow_id)
    work_off(workflow_id, report)


def work_off(workflow_id: str, report: Report) -> None:
    """Do the jobs of a workflow, and those that follow from them, until none is left.

    Workers that run beside take their share; what they hold is waited for.
    """
    mine = ProcessingJob.objects.filter(workflow_id=workflow_id)
    while True:
        job = jobs.claim_next(list(stages()), jobs.this_owner(), workflow_id=workflow_id)
        if job is not None:
            of_type = mine.filter(job_type=job.job_type)
            done = of_type.exclude(status=JobStatus.PENDING).count()
            report(_run(job, f"{job.job_type} [{done}/{of_type.count()}] {_label(job)}"))
        elif mine.filter(status=JobStatus.RUNNING).exists():
            time.sleep(0.2)
        else:
            return


def follow(report: Report, is_over: Callable[[], bool] = lambda: False) -> None:
    """Report how far the workers are, until nothing is left for them to do now, or `is_over` says so."""
    jobs_of_workers = ProcessingJob.objects.filter(job_type__in=stages())
    # What waits for space or for a model's file may wait for days.
    left = jobs_of_workers.filter(status__in=jobs.UNFINISHED).exclude(failure_code__in=jobs.WAITS_OUT)
    begin, last = timezone.now(), ""
    while not is_over() and left.exists():
        counts = Counter(left.values_list("job_type", flat=True))
        line = ", ".join(f"{counts[name]} {name}" for name in stages() if counts[name])
        for job in jobs_of_workers.filter(status=JobStatus.FAILED, completed_at__gte=begin).order_by("completed_at"):
            report(f"{job.job_type} of {_label(job)}: {job.error_message}")
            begin = max(begin, (job.completed_at or begin) + timedelta(microseconds=1))
        if line != last:
            report(f"left to do: {line}")
            last = line
        time.sleep(0.5)


def run_stage(name: str, entity_type: str, entities: Sequence[tuple[object, str]], report: Report) -> None:
    """Run one stage for several entities, given as (id, name for people); what follows is ordered, not done."""
    for number, (entity_id, label) in enumerate(entities, start=1):
        job = jobs.claim(jobs.enqueue(name, entity_type, entity_id), jobs.this_owner())
        prefix = f"{name} [{number}/{len(entities)}] {label}"
        report(f"{prefix}: another process is working on it" if job is None else _run(job, prefix))


def _run(job: ProcessingJob, prefix: str) -> str:
    """Do a claimed job, now or never; return the line that says how it went."""
    try:
        jobs.do(job, is_tried_again=False)
    except jobs.JobCrashed as crash:
        return f"{prefix}: {crash}"
    except jobs.JobLost:
        return f"{prefix}: it was cancelled, or another process has taken it over"
    return f"{prefix}: {job.error_message}" if job.status == JobStatus.FAILED else prefix


def _label(job: ProcessingJob) -> str:
    """Return what a job works on in words."""
    if job.entity_type == "observation":
        name = Observation.objects.filter(pk=job.entity_id).values_list("original_name", flat=True).first()
        return name or job.entity_id
    return f"{job.entity_type.replace('_', ' ')} {job.entity_id}"
