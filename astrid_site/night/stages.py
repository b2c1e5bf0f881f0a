"""The table of the stages: what does each, what it waits for, and what follows from it.

Every rule of what follows takes a job that has just been done, inside the transaction that says so, and names the work
that this gives reason for. A stage that finds its work done before leaves it as it is: to order too much does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from catalog.configuration.values import snapshot
from catalog.failures import FailureCode
from catalog.models import ProcessingJob
from catalog.work.stages import Order, Stage
from curation.alerts.rule import sources_of_night, sources_to_consider
from curation.push.ordering import has_something
from detection.context.fields import lacks_context
from detection.known.frames import has_orbits
from detection.models import Model
from detection.registry.ordering import asked_by
from detection.registry.shadow import has_shadow
from detection.sources.unmeasured import is_left_elsewhere
from differencing.ids import field_and_night, field_night
from differencing.models import Candidate
from observations.archives.ordering import order_due
from observations.models import Field, Observation, ObservationStatus
from preprocessing.services import lights_lacking_masters

_LEFT_ALONE = (ObservationStatus.FAILED, ObservationStatus.ARCHIVED, ObservationStatus.IMPORTED)


def _after_masters(job: ProcessingJob) -> Iterator[Order]:
    """New masters: the lights that had to do without go through again."""
    for observation_id in lights_lacking_masters(date.fromisoformat(job.entity_id)):
        yield "preprocess", "observation", observation_id


def _after_examine(job: ProcessingJob) -> Iterator[Order]:
    """A frame of other facts goes through again; what its doubts held back is looked at, whoever settled them."""
    observation = Observation.objects.exclude(status__in=_LEFT_ALONE).filter(pk=job.entity_id).first()
    if observation is None:
        return
    if observation.status == ObservationStatus.INGESTED:
        yield "masters", "night", observation.night.isoformat()
        yield "preprocess", "observation", observation.pk
        return
    for source_id in sources_to_consider(observation.pk):
        yield "alerts", "source", source_id


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
        yield "tracklets", "field_night", field_night(observation.field_id, observation.night)
    # Evidence for those who review: nothing waits for it.
    if has_orbits():
        yield "known_objects", "observation", observation.pk
    if observation.field is not None and lacks_context(observation.field):
        yield "context", "field", observation.field.pk
    if has_shadow():
        yield "shadow", "observation", observation.pk
    for source_id in sources_to_consider(observation.pk):
        yield "alerts", "source", source_id


def _after_tracklets(job: ProcessingJob) -> Iterator[Order]:
    """Known places are measured, what single frames do not show is sought if wanted; what moves is told differently.

    What was rejected before it was known to move is judged again, as is what no longer moves.
    """
    field_id, night = field_and_night(job.entity_id)
    late = Candidate.objects.out_of_step().filter(observation__field=field_id, observation__night=night)
    for observation_id in late.values_list("observation", flat=True).order_by("observation").distinct():
        yield "detect", "observation", observation_id
    yield "forced", "field_night", job.entity_id
    if snapshot()["detection.hidden_share"]:
        yield "mix_hidden", "field_night", job.entity_id
    if snapshot()["curation.fake_share"]:
        yield "inject", "field_night", job.entity_id
    if snapshot()["differencing.shift_and_stack"]:
        yield "shift_and_stack", "field_night", job.entity_id
    for source_id in sources_of_night(field_id, night):
        yield "alerts", "source", source_id


def _after_shift_and_stack(job: ProcessingJob) -> Iterator[Order]:
    """What was found so is measured in each frame."""
    yield "forced", "field_night", job.entity_id


def _after_forced(job: ProcessingJob) -> Iterator[Order]:
    """A field of years has thousands of differences: those that are left come after what others wait for."""
    field_id, night = field_and_night(job.entity_id)
    field = Field.objects.filter(pk=field_id).first()
    if field is not None and is_left_elsewhere(field, night):
        yield "forced_backlog", "field_night", job.entity_id


def _after_train(job: ProcessingJob) -> Iterator[Order]:
    """What was trained is compared with what is in use, before somebody wants to use it."""
    asked = asked_by(job.entity_id)
    model = Model.objects.filter(name=asked.name, version=asked.version).first()
    if model is not None:
        yield "measure", "model", model.pk


def _after_push(job: ProcessingJob) -> Iterator[Order]:
    """A turn is over while there is more to send: others come first."""
    if has_something(job.entity_id):
        yield "push", "subscription", job.entity_id


def _after_archive(_: ProcessingJob) -> Iterator[Order]:
    """There is room for another file: it need not wait for the clock."""
    order_due()
    yield from ()


# A night is calibrated, and a field compared, when all of it has been delivered.
_BEFORE_MASTERS = ("deliver", "ingest", "download", "fetch", "receive")
_BEFORE_PREPROCESS = (*_BEFORE_MASTERS, "masters")
_BEFORE_REGISTER = (*_BEFORE_PREPROCESS, "preprocess")
_BEFORE_DIFFERENCE = (*_BEFORE_REGISTER, "register")
_BEFORE_TRACKLETS = (*_BEFORE_DIFFERENCE, "difference", "detect")
_BEFORE_FORCED = (*_BEFORE_TRACKLETS, "tracklets")
# What is told about a source names the last frame without it.
_BEFORE_ALERTS = ("difference", "detect", "tracklets", "forced")
_BEFORE_BACKLOG = (*_BEFORE_ALERTS, "alerts")

_ABANDON_DELIVERY = "observations.delivery.stage.abandon"
_ASK, _FETCH = "observations.archives.stage.ask", "observations.archives.stage.fetch"

# In the order of a frame's way. To add a stage: write its module, and a row here.
STAGES = (
    Stage("download", "observations.delivery.stage", "downloads", abandon=_ABANDON_DELIVERY, is_ingest=True),
    Stage("ask", _ASK, "downloads", follows=_after_archive, abandon=f"{_ASK}.abandon"),
    Stage("fetch", _FETCH, "downloads", follows=_after_archive, abandon=f"{_FETCH}.abandon", is_ingest=True),
    Stage("receive", "observations.delivery.stage", "light", abandon=_ABANDON_DELIVERY, is_ingest=True),
    Stage("examine", "observations.claims.stage", "light", follows=_after_examine),
    Stage("masters", "preprocessing.stage.masters", waits_for=_BEFORE_MASTERS, follows=_after_masters),
    Stage(
        "preprocess", "preprocessing.stage.preprocess",
        waits_for=_BEFORE_PREPROCESS, follows=_after_preprocess, abandon="preprocessing.stage.preprocess.abandon",
    ),
    Stage("register", "preprocessing.stage.register", waits_for=_BEFORE_REGISTER, follows=_after_register),
    Stage(
        "difference", "differencing.stage.difference",
        waits_for=_BEFORE_DIFFERENCE, follows=_after_difference, abandon="differencing.stage.difference.abandon",
    ),
    # What a person ordered; promoting it is another order.
    Stage("reference", "differencing.stage.new_reference"),
    Stage("detect", "detection.stage.detect", follows=_after_detect, abandon="detection.stage.detect.abandon"),
    Stage("known_objects", "detection.stage.known_objects"),
    Stage("context", "detection.stage.context", "downloads"),
    Stage("orbits", "detection.stage.orbits", "downloads"),
    Stage("tracklets", "differencing.stage.tracklets", waits_for=_BEFORE_TRACKLETS, follows=_after_tracklets),
    # By then it is known what is hidden: what moves is not.
    Stage("mix_hidden", "detection.stage.mix_hidden", waits_for=_BEFORE_FORCED),
    # Measured in other frames as sources are.
    Stage("inject", "astrid_site.night.inject", waits_for=_BEFORE_FORCED),
    Stage("forced", "detection.stage.forced", waits_for=_BEFORE_FORCED, follows=_after_forced),
    Stage(
        "shift_and_stack", "differencing.stage.shift_and_stack",
        waits_for=(*_BEFORE_TRACKLETS, "tracklets"), follows=_after_shift_and_stack,
    ),
    Stage("alerts", "curation.alerts.stage", "light", waits_for=_BEFORE_ALERTS),
    Stage("push", "curation.push.stage", "deliveries", follows=_after_push),
    Stage("report", "curation.reports.stage", "deliveries"),
    Stage("forced_backlog", "detection.stage.forced_backlog", waits_for=_BEFORE_BACKLOG, follows=_after_forced),
    # Nothing waits for it, and it decides nothing.
    Stage("shadow", "detection.stage.shadow", waits_for=_BEFORE_BACKLOG, abandon="detection.stage.shadow.abandon"),
    Stage("recalibrate", "curation.rates.stage"),
    Stage("train", "detection.stage.retrain", "training", follows=_after_train),
    Stage("measure", "detection.stage.measure"),
)  # fmt: skip
