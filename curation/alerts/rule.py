"""Why a source is told about, and why one that was told about no longer should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from catalog.configuration.values import Snapshot, snapshot
from curation.alerts.automatic import automatic
from curation.alerts.facts import Ground
from curation.alerts.words import people_text
from curation.judgements.consensus import LEVELS
from curation.judgements.verdicts import OPEN, REAL, answers_about, consensus_of, sources_of
from curation.models import Alert, ValidationEvent
from detection.models import Detection, DetectionOrigin, DetectionStatus, Model, Source
from differencing.models import Tracklet
from observations.models import WcsQuality, is_held


@dataclass(frozen=True)
class Look:
    """One detection of a source, the answers that stand about it, and what it is told about for.

    `moves_as` is another detection that is told about in its place: an earlier one of the same moving object, which
    is another source in every frame. A person's verdict is told about all the same. `is_held`: a doubt about its frame
    may move its position, time or flux; nothing is told of it until the doubt is settled, and nothing taken back.
    """

    detection: Detection
    answers: tuple[ValidationEvent, ...]
    ground: Ground
    moves_as: Detection | None = None
    is_held: bool = False

    @property
    def is_live(self) -> bool:
        """Neither rejected nor lost nor of unknown position, nor held back."""
        return self.detection.status in (*OPEN, *REAL) and _has_position(self.detection) and not self.is_held

    def fell(self, told_for: Ground) -> str:
        """Return why what was told about this detection no longer stands, as a clause; "" where it stands.

        Other thresholds are no such reason: what was told under the old ones was true.
        """
        if self.detection.status == DetectionStatus.REJECTED:
            return f"it was judged not real by {people_text(self.answers, is_valid=False)}"
        if self.detection.status == DetectionStatus.ARCHIVED:
            return "it was no longer found when its frame was processed again"
        if not _has_position(self.detection):
            return "the position of its frame is no longer known"
        if self.moves_as is not None:
            return f"it is the moving object that is reported as {self.moves_as.source}"
        is_judged_real = self.detection.status == DetectionStatus.CONFIRMED or any(e.is_valid for e in self.answers)
        if told_for == Ground.HUMAN and not is_judged_real:
            return "the verdict that it was based on was withdrawn"
        return ""


def looks_at(source: Source, config: Snapshot) -> list[Look]:
    """Return all detections of a source in order of time.

    Where people rejected one and found none real, a high score of another is no ground: the same artefact comes back
    every night.
    """
    rows = Detection.objects.filter(source=source)
    looks = _looks(rows, config)
    statuses = {look.detection.status for look in looks}
    is_doubted = DetectionStatus.REJECTED in statuses and not statuses & set(REAL)
    moving = set(rows.filter(candidate__tracklets__is_doubtful=False).values_list("pk", flat=True))
    for k, look in enumerate(looks):
        if look.ground != Ground.AUTOMATIC:
            continue
        earlier = _told_before(look.detection, config) if look.detection.pk in moving else None
        if is_doubted or earlier is not None:
            looks[k] = replace(look, ground=Ground.NONE, moves_as=earlier)
    return looks


def sources_to_consider(observation_id: UUID | str) -> list[UUID]:
    """Return the sources of a frame that the alert rule should look at: judged real, sure, or told about before.

    The others would be looked at in vain, each by a job of its own.
    """
    worth = Q(status__in=REAL) | _was_told() | _speaks_for_itself(snapshot())
    return sources_of(Q(observation=observation_id) & worth)


def sources_of_night(field_id: UUID | str, night: date) -> list[UUID]:
    """Return the sources of a field's night that may mean something else once its tracklets have been found anew."""
    moving = Q(candidate__tracklets__is_doubtful=False)
    return sources_of(Q(observation__field=field_id, observation__night=night) & (_was_told() | moving))


def _looks(rows: QuerySet[Detection], config: Snapshot) -> list[Look]:
    ordered = list(
        rows.select_related("source", "observation", "candidate__difference_run__reference").order_by(
            "observation__mjd_utc", "id"
        )
    )
    answers = answers_about([row.pk for row in ordered])
    sure = set(rows.filter(_speaks_for_itself(config)).values_list("pk", flat=True))
    held = set(rows.filter(is_held("observation")).values_list("pk", flat=True))
    looks = [_look(row, tuple(answers.get(row.pk, ())), row.pk in sure, config) for row in ordered]
    return [replace(look, ground=Ground.NONE, is_held=True) if look.detection.pk in held else look for look in looks]


def _look(row: Detection, answers: tuple[ValidationEvent, ...], is_sure: bool, config: Snapshot) -> Look:
    return Look(row, answers, _ground(row, answers, is_sure, config))


def _ground(row: Detection, answers: Sequence[ValidationEvent], is_sure: bool, config: Snapshot) -> Ground:
    """Return what speaks for telling about a detection by itself; a nominal position is never told."""
    if not _has_position(row):
        return Ground.NONE
    if row.status in REAL:
        found = consensus_of(answers)
        level = found.highest_level if found.is_valid else ""
        is_agreed = level and LEVELS.index(level) >= LEVELS.index(config["alerts.min_human_confidence"])
        return Ground.HUMAN if is_agreed or row.status == DetectionStatus.CONFIRMED else Ground.NONE
    # Where people have spoken, and disagree, it is not for the machine to decide.
    return Ground.AUTOMATIC if is_sure and not answers else Ground.NONE


def _speaks_for_itself(config: Snapshot) -> Q:
    """Return the detections that are told about before anybody has looked: sure, bright, and no known artefact.

    There are none until people's answers have shown that few of them are false.
    """
    trusted = automatic(config).model
    if trusted is None:
        return Q(pk__in=[])
    return Q(status__in=OPEN) & sure_enough(trusted, config)


def sure_enough(model: Model, config: Snapshot) -> Q:
    """Return the detections that a model is sure of, bright and no known artefact, whatever people have said since."""
    least = config["alerts.automatic_min_snr"]
    is_bright = Q(candidate__snr__gte=least) | Q(candidate__snr__lte=-least)
    # What another survey has told about already is told about only once a person has judged it.
    is_ours = ~Q(origin=DetectionOrigin.IMPORTED)
    is_sure = is_ours & Q(confidence_score__gte=config["alerts.automatic_threshold"], model_run__model=model)
    is_clean = Q(candidate__is_reference_ghost=False, candidate__is_dipole=False, candidate__vetoes=[])
    return is_sure & is_bright & is_clean


def _has_position(row: Detection) -> bool:
    return row.observation.wcs_quality != WcsQuality.NOMINAL


def _told_before(row: Detection, config: Snapshot) -> Detection | None:
    """Return the first detection of the same tracklet that is told about, where that is another source's."""
    members = Detection.objects.filter(
        candidate__tracklets__in=Tracklet.objects.moving().filter(members=row.candidate_id), source__isnull=False
    )
    for look in _looks(members, config):
        if look.detection.pk == row.pk:
            return None
        if look.ground and look.detection.source_id != row.source_id:
            return look.detection
    return None


def _was_told() -> Q:
    return Q(Exists(Alert.objects.filter(detection__source=OuterRef("source"))))
