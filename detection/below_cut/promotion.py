"""What a person brings before curators although the model or a veto has rejected it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Exists, OuterRef, QuerySet, When

from catalog.models import Visitor
from catalog.people import audit
from detection.cutouts.pictures import path_of
from detection.models import CandidateScore, Detection, DetectionOrigin, Model
from detection.sources.telling import tell_types
from differencing.models import Candidate, CandidateStatus


class PromotionRefused(ValueError):
    """This candidate cannot be promoted; the text says why."""


def rejected(rows: QuerySet[CandidateScore]) -> QuerySet[CandidateScore]:
    """Return of some scores those by active models of candidates that were rejected, and that nobody has promoted."""
    # The model by its key, and whether there is a detection asked row by row: so PostgreSQL takes the best scores from
    # the index until it has enough, where a join would read all of a million first.
    active = list(Model.objects.filter(is_active=True).values_list("pk", flat=True))
    known = Case(When(Exists(Detection.objects.filter(candidate=OuterRef("candidate"))), then=True), default=False)
    hidden = {"is_known": False, "model__in": active, "candidate__status": CandidateStatus.REJECTED}
    return rows.alias(is_known=known).filter(**hidden)


@transaction.atomic
def promote(keys: Collection[UUID], user: Visitor, actor: audit.Actor) -> list[Detection]:
    """Make detections of rejected candidates, for review; one that is a detection already stays what it is.

    Such a detection has no source, and raises no alert, until people call it real; repeated stages leave it. Raises
    PromotionRefused where a candidate is gone or was never scored: then none is promoted.
    """
    candidates = list(
        Candidate.objects.not_hidden_from(user)
        .filter(pk__in=keys)
        .select_related("observation")
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    if len(candidates) < len(set(keys)):
        raise PromotionRefused("One of these candidates is gone: its frame was processed again. Look at the list anew.")
    known = {row.candidate_id: row for row in Detection.objects.filter(candidate__in=candidates)}
    scores = _latest_scores(candidates)
    who = actor.user.get_username() if actor.user else "the system"
    reason = f"Promoted by {who}: the model or a veto had rejected it."
    new = []
    for candidate in candidates:
        if candidate.pk in known:
            continue
        if candidate.pk not in scores:
            raise PromotionRefused("One of these candidates has no score yet: wait until its frame has been looked at.")
        new.append(against_the_model(scores[candidate.pk], DetectionOrigin.PROMOTED, reason))
    Detection.objects.bulk_create(new)
    tell_types(*{row.observation_id: row.candidate.observation for row in new if row.candidate}.values())
    for row in new:
        audit.record(row, "promoted", actor=actor, new={"candidate": row.candidate_id, "score": row.confidence_score})
    return [*known.values(), *new]


def _latest_scores(candidates: list[Candidate]) -> dict[UUID, CandidateScore]:
    rows = CandidateScore.objects.filter(candidate__in=candidates).select_related(
        "candidate__observation", "model", "model_run"
    )
    # Of the last in use, not of one that scores beside it.
    return {row.candidate_id: row for row in rows.order_by("model__is_active", "created_at")}


def against_the_model(scored: CandidateScore, origin: DetectionOrigin, reason: str, **more: float) -> Detection:
    """Return a detection, not yet saved, of a scored candidate that was rejected; the reason says why it is there."""
    candidate = scored.candidate
    return Detection(
        candidate=candidate,
        observation_id=candidate.observation_id,
        model_run=scored.model_run,
        origin=origin,
        confidence_score=scored.score,
        anomaly=scored.anomaly,
        model_version=f"{scored.model.name} {scored.model.version}",
        inference_time_ms=scored.model_run.time_of_each_ms,
        cutouts_path=path_of(candidate.observation_id, candidate.pk),
        prediction_metadata={"weights_sha256": scored.weights_sha256, "reason": reason},
        **{name: getattr(candidate, name) for name in ("ra", "dec", "pixel_x", "pixel_y")},
        **more,
    )
