"""What a stage is, and the table of all of them: it stands in the site, and the settings hold its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module

from django.conf import settings
from django.utils.module_loading import import_string

from catalog.failures import FailureCode
from catalog.models import ProcessingJob

# Name of the stage, kind and key of what it works on.
Order = tuple[str, str, object]
Run = Callable[[str], None]
Abandon = Callable[[str, FailureCode, str], object]

PIPELINE = "pipeline"
# Jobs of these types are done by a command, in the process that a person started.
OF_COMMANDS = ("deliver", "ingest")


def _nothing(_job: ProcessingJob) -> Iterable[Order]:
    return ()


@dataclass(frozen=True)
class Stage:
    """One kind of work: what does it and from which queue, what it waits for, and what it gives reason for.

    Modules are named and not imported: only a worker that does the work loads what computes.
    """

    # The type of its jobs.
    name: str
    # Holds `run(entity_id)`.
    module: str
    queue: str = PIPELINE
    # Types of jobs that must be over in its workflow before it begins.
    waits_for: tuple[str, ...] = ()
    # What is ordered when a job is done, in the transaction that says so.
    follows: Callable[[ProcessingJob], Iterable[Order]] = _nothing
    # Dotted name of `abandon(entity_id, code, sentence)`, which closes the rows that a run left open, if any.
    abandon: str = ""
    # Whether it rests while ingest is paused.
    is_ingest: bool = False

    def runner(self) -> Run:
        """Load what does the work."""
        run: Run = import_module(self.module).run
        return run

    def abandoner(self) -> Abandon | None:
        """Load what closes the rows that a run left open, where there is such a thing."""
        return import_string(self.abandon) if self.abandon else None


def stages() -> dict[str, Stage]:
    """Return the stages by name, in the order of the table."""
    table: Iterable[Stage] = import_string(settings.STAGES)
    return {stage.name: stage for stage in table}


def types_of(queue: str) -> list[str]:
    """Return the types of jobs that are done from a queue."""
    return [stage.name for stage in stages().values() if stage.queue == queue]


def ingest_types() -> frozenset[str]:
    """Return the types of jobs that rest while ingest is paused."""
    return frozenset(stage.name for stage in stages().values() if stage.is_ingest)


def queue_of(job_type: str) -> str:
    """Return the queue from which jobs of a type are done; "" for those that a command does."""
    stage = stages().get(job_type)
    return stage.queue if stage else ""


def waits_for(job_type: str) -> tuple[str, ...]:
    """Return the types of jobs that must be over in its workflow before a job of this type begins."""
    stage = stages().get(job_type)
    return stage.waits_for if stage else ()


def job_types() -> list[str]:
    """Return the types of all jobs, those of commands too, by name."""
    return sorted({*stages(), *OF_COMMANDS})
