"""What the detections of frames are taken for, as far as it is known now."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from uuid import UUID

from detection.context.near import Neighbours, neighbours_of_each
from detection.known.comparing import Verdict, known_near_each
from detection.models import CandidateScore, ContextKind, Detection, DetectionStatus
from detection.numerics.nearest import TYPES
from detection.sources.kinds import Facts, type_of
from differencing.models import Tracklet
from observations.models import Observation

# What a catalogue lists within this, is the thing itself: more than positions differ by, less than a galaxy is wide.
_SAME_ARCSEC = 1.5


def tell_types(*observations: Observation) -> None:
    """Say of the detections of frames that await review what they are taken for, and why."""
    waiting = Detection.objects.filter(observation__in=observations, status=DetectionStatus.PENDING, human_label="")
    rows = list(waiting.select_related("candidate", "observation").order_by("pk"))
    if not rows:
        return
    moving = set(
        Tracklet.objects.moving()
        .filter(members__in=[row.candidate_id for row in rows if row.candidate_id])
        .values_list("members", flat=True)
    )
    known, near, history, stamps = known_near_each(rows), neighbours_of_each(rows), _history(rows), _by_stamp(rows)
    changed = []
    for row in rows:
        nights, signs = history.get(row.source_id, (set(), set()))
        facts = Facts(
            moves=row.candidate_id in moving,
            is_known_body=known[row.pk].verdict == Verdict.KNOWN,
            is_negative=row.candidate is not None and row.candidate.is_negative,
            nights=len(nights | {row.observation.night}),
            has_both=len(signs) > 1,
            stamp=stamps.get((row.model_run_id, row.candidate_id), {}),
            **_of_catalogs(near[row.pk]),
        )
        kind, why = type_of(facts)
        if (row.predicted_type, row.prediction_metadata.get("type_reason")) != (kind, why):
            row.predicted_type = row.detection_type = kind
            row.prediction_metadata["type_reason"] = why
            changed.append(row)
    Detection.objects.bulk_update(changed, ["predicted_type", "detection_type", "prediction_metadata"])


def _by_stamp(rows: list[Detection]) -> dict[tuple[UUID, UUID], dict[str, float]]:
    """Return what the model of each detection says of its types, by run and candidate."""
    names = [f"p_{name}" for name in TYPES]
    said = CandidateScore.objects.filter(
        candidate__in=[row.candidate_id for row in rows if row.candidate_id],
        model_run__in={row.model_run_id for row in rows},
        p_transient__isnull=False,
    )
    return {
        (run, candidate): dict(zip(TYPES, values, strict=True))
        for run, candidate, *values in said.values_list("model_run_id", "candidate_id", *names)
    }


def _history(rows: list[Detection]) -> dict[UUID | None, tuple[set[date], set[bool]]]:
    """Return of each source the nights on which it was seen, and the signs of its differences; rejected ones are not
    it."""
    found: dict[UUID | None, tuple[set[date], set[bool]]] = defaultdict(lambda: (set(), set()))
    of_source = Detection.objects.live().exclude(status=DetectionStatus.REJECTED)
    seen = of_source.filter(source__in={row.source_id for row in rows if row.source_id})
    for source, night, is_negative in seen.values_list("source_id", "observation__night", "candidate__is_negative"):
        found[source][0].add(night)
        if is_negative is not None:
            found[source][1].add(is_negative)
    return found


def _of_catalogs(near: Neighbours) -> dict[str, str]:
    """Return what catalogues hold at the place itself, and the galaxy that may be the host, by name."""
    at = {
        kind: next((one for one in near.near.get(kind, ()) if one.separation_arcsec <= _SAME_ARCSEC), None)
        for kind in (ContextKind.STAR, ContextKind.VARIABLE)
    }
    star, variable = at[ContextKind.STAR], at[ContextKind.VARIABLE]
    host = next((one for one in near.near.get(ContextKind.GALAXY, ()) if one.may_be_host), None)
    return {
        "star": (star.name or f"A star of {star.catalogue}") if star else "",
        "variable": (variable.name or f"A variable of {variable.catalogue}") if variable else "",
        "host": (host.name or f"a galaxy of {host.catalogue}") if host else "",
    }
