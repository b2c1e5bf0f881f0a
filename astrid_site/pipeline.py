"""Run the stages to the end in this process: the foreground twin of the workers, on the same job rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from astrid_site.document import document
from catalog import jobs
from catalog.config import snapshot
from catalog.models import JobStatus
from differencing.stage.tracklets import key as tracklet_key
from observations.models import Observation, ObservationStatus
from observations.services import IngestResult, Overrides, ingest_paths

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

    def document(self) -> dict[str, list[dict[str, Any]]]:
        """Return what the database holds about these observations now, and what was refused."""
        return document(self.observation_ids, [row for row in self.results if row.is_refused])


def process_paths(paths: Iterable[str | Path], overrides: Overrides, report: Report) -> Processed:
    """Ingest files and folders and run every stage to the end in this process."""
    done = Processed(tuple(ingest_paths(paths, overrides=overrides, config=snapshot(), report=report)))
    run_stages(Observation.objects.filter(pk__in=done.observation_ids), report)
    return done


def run_stages(observations: Iterable[Observation], report: Report) -> None:
    """Take observations from ingested to detected, night by night, oldest first; each failure is a row and a line.

    Nights go in order because earlier ones are the reference of later ones. Work that was done before with the same
    inputs is found done by its stage and left alone.
    """
    rows = sorted(observations, key=lambda row: (row.night, row.mjd_utc, row.observation_id))
    nights = sorted({row.night for row in rows})
    for night in nights:
        tonight = [row for row in rows if row.night == night]
        fields = sorted({row.field_id for row in tonight if row.field_id is not None})
        run_stage("masters", "night", [(night.isoformat(), f"night of {night}")], report)
        run_stage("preprocess", "observation", [(row.pk, row.original_name) for row in tonight], report)
        run_stage("register", "field", [(field, f"field {field}") for field in fields], report)
        for stage, ready in (
            ("difference", {ObservationStatus.FAILED, ObservationStatus.ARCHIVED}),
            ("detect", set(ObservationStatus) - {ObservationStatus.DIFFERENCED}),
        ):
            left = Observation.objects.filter(pk__in=[row.pk for row in tonight]).exclude(status__in=ready)
            names = [(row.pk, row.original_name) for row in left.order_by("mjd_utc", "observation_id")]
            run_stage(stage, "observation", names, report)
        keys = [(tracklet_key(field, night), f"night of {night}") for field in fields]
        run_stage("tracklets", "field_night", keys, report)


def run_stage(name: str, entity_type: str, entities: Sequence[tuple[object, str]], report: Report) -> None:
    """Run one stage for several entities, given as (id, name for people)."""
    stage = import_module(dict(settings.PIPELINE_STAGES)[name])
    for number, (entity_id, label) in enumerate(entities, start=1):
        job = jobs.enqueue(name, entity_type, entity_id)
        prefix = f"{name} [{number}/{len(entities)}] {label}"
        try:
            job = jobs.run_inline(job, lambda held: stage.run(held.entity_id), abandon=stage.abandon)
        except jobs.JobCrashed as crash:
            report(f"{prefix}: {crash}")
            continue
        except jobs.JobLost:
            report(f"{prefix}: another process is at work on it")
            continue
        report(f"{prefix}: {job.error_message}" if job.status == JobStatus.FAILED else prefix)
