"""What follows from what: the one place that knows the way of a frame through the stages.

Every function takes a job that has just been done, inside the transaction that says so, and names the work that this
gives reason for. A stage that finds its work done before leaves it as it is, so that ordering too much does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from uuid import UUID

from catalog.failures import FailureCode
from catalog.models import ProcessingJob
from catalog.work import jobs
from curation.alerts.rule import sources_of_night, sources_to_consider
from differencing.stage.tracklets import key as tracklet_key
from differencing.stage.tracklets import parse_key
from observations.models import Observation, ObservationStatus
from preprocessing.services import lights_lacking_masters

# Type of the job, kind and key of what it works on.
Order = tuple[str, str, object]

_LEFT_ALONE = (ObservationStatus.FAILED, ObservationStatus.ARCHIVED)


def following(job: ProcessingJob) -> list[Order]:
    """Return the orders that follow from a job that is done."""
    rule = _RULES.get(job.job_type)
    return [] if rule is None else list(rule(job))


def order_processing(observations: Iterable[Observation], workflow_id: str) -> None:
    """Order observations, new or known, to be taken through all stages; call it in a transaction."""
    rows = list(observations)
    for night in sorted({row.night for row in rows}):
        jobs.enqueue("masters", "night", night.isoformat(), workflow_id=workflow_id)
    for row in sorted(rows, key=lambda row: (row.mjd_utc, row.observation_id)):
        jobs.enqueue("preprocess", "observation", row.pk, workflow_id=workflow_id)


def _after_masters(job: ProcessingJob) -> Iterator[Order]:
    """New masters: the lights that had to do without go through again."""
    for observation_id in lights_lacking_masters(date.fromisoformat(job.entity_id)):
        yield "preprocess", "observation", observation_id


def _after_preprocess(job: ProcessingJob) -> Iterator[Order]:
    observation = Observation.objects.exclude(status__in=_LEFT_ALONE).filter(pk=job.entity_id).first()
    if observation is not None and observation.field_id is not None:
        yield "register", "field", observation.field_id


def _after_register(job: ProcessingJob) -> Iterator[Order]:
    """Compare the frames of this workflow, and those that waited for a reference."""
    field = Observation.objects.exclude(status__in=_LEFT_ALONE).filter(field=UUID(job.entity_id))
    ordered = ProcessingJob.objects.filter(job_type="preprocess", workflow_id=job.workflow_id)
    mine = set(ordered.values_list("entity_id", flat=True)) if job.workflow_id else set()
    rows = field.order_by("mjd_utc", "observation_id").values_list("pk", "failure_code")
    for observation_id, code in rows:
        if str(observation_id) in mine or code == FailureCode.WAITING_FOR_REFERENCE:
            yield "difference", "observation", observation_id


def _after_difference(job: ProcessingJob) -> Iterator[Order]:
    if Observation.objects.filter(pk=job.entity_id, status=ObservationStatus.DIFFERENCED).exists():
        yield "detect", "observation", job.entity_id


def _after_detect(job: ProcessingJob) -> Iterator[Order]:
    observation = Observation.objects.get(pk=job.entity_id)
    if observation.field_id is not None:
        yield "tracklets", "field_night", tracklet_key(observation.field_id, observation.night)
    for source_id in sources_to_consider(observation.pk):
        yield "alerts", "source", source_id


def _after_tracklets(job: ProcessingJob) -> Iterator[Order]:
    """What turns out to move is told differently."""
    for source_id in sources_of_night(*parse_key(job.entity_id)):
        yield "alerts", "source", source_id


_RULES: dict[str, Callable[[ProcessingJob], Iterator[Order]]] = {
    "masters": _after_masters,
    "preprocess": _after_preprocess,
    "register": _after_register,
    "difference": _after_difference,
    "detect": _after_detect,
    "tracklets": _after_tracklets,
}
