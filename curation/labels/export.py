"""What people have decided, as a file that networks are trained from: a line of JSON for each detection.

Answers that were given without seeing the detection teach nothing, and are passed over; what people said of items of
which the answer was known is no judgement.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from django.db.models import Exists, OuterRef, QuerySet

from catalog.files import storage
from curation.judgements.verdicts import answers_about, consensus_of
from curation.judgements.visibility import DECIDED
from curation.models import EventKind, Shown, ValidationEvent
from detection.models import Detection
from detection.registry.ordering import labels_path

_AT_ONCE = 500
BLIND, SHOWN, MIXED, UNKNOWN = "blind", "answers shown", "mixed", "unknown"


@dataclass(frozen=True)
class Label:
    """What people have decided about one detection, and what was known when they did.

    is_valid, label : what their answers come to; `label` is "" where none was given. people : how many stand behind it.
    agreement : weighted share of the answers that agree. confidence : of the surest of them. model_version,
    model_sha256, score : of the model that had made it a detection, when it was judged. look : whether others' answers
    were on screen. score_shown : None where that is not known, or differs. inclusion_probability : 1 where it was not
    drawn. answered_at : when the last of them answered. snr : signed significance; None without a candidate.
    """

    detection: str
    candidate: str
    source: str
    is_valid: bool
    label: str
    people: int
    agreement: float
    confidence: str
    model_version: str
    model_sha256: str
    score: float
    look: str
    score_shown: bool | None
    inclusion_probability: float
    origin: str
    answered_at: str
    exposure: str
    night: str
    survey: str
    camera: str
    band: str
    snr: float | None


def decided() -> QuerySet[Detection]:
    """Return the detections about which people have decided by looking at them."""
    looked = ValidationEvent.objects.filter(detection=OuterRef("pk"), kind=EventKind.VERDICT).exclude(
        shown=Shown.UNSEEN
    )
    return Detection.objects.filter(Exists(looked), status__in=DECIDED)


def decided_since(moment: datetime | None) -> QuerySet[Detection]:
    """Return those of them about which somebody has answered since then."""
    if moment is None:
        return decided()
    later = ValidationEvent.objects.filter(detection=OuterRef("pk"), created_at__gt=moment, kind=EventKind.VERDICT)
    return decided().filter(Exists(later.exclude(shown=Shown.UNSEEN)))


def labels() -> Iterator[Label]:
    """Yield what people have decided, in the order in which it was found."""
    keys = list(decided().order_by("pk").values_list("pk", flat=True))
    related = ("candidate", "observation__survey", "model_run__model")
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        rows = Detection.objects.select_related(*related).in_bulk(some)
        answers = answers_about(some)
        for key in some:
            seen = [answer for answer in answers.get(key, []) if answer.shown != Shown.UNSEEN]
            if key in rows and (found := _label(rows[key], seen)) is not None:
                yield found


def write_labels(path: Path) -> int:
    """Write the file, whole or not at all, and return of how many detections it tells."""
    lines = [json.dumps(asdict(label), allow_nan=False) for label in labels()]
    storage.write_whole(path, "".join(f"{line}\n" for line in lines).encode())
    return len(lines)


def keep_labels(version: str) -> tuple[str, int]:
    """Write the file under the data root, from where training takes it; return its path, and of how many it tells."""
    path = labels_path(version)
    lines = [json.dumps(asdict(label), allow_nan=False) for label in labels()]
    return storage.write_atomically(path, "".join(f"{line}\n" for line in lines).encode()), len(lines)


def _label(row: Detection, answers: Sequence[ValidationEvent]) -> Label | None:
    """Return what answers to a detection come to; None where they come to nothing."""
    found = consensus_of(answers)
    if found.is_valid is None or found.share is None:
        return None
    frame, candidate = row.observation, row.candidate
    shas = row.prediction_metadata.get("weights_sha256") or row.model_run.model.weights_sha256
    return Label(
        detection=str(row.pk),
        candidate=str(candidate.pk) if candidate else "",
        source=str(row.source_id or ""),
        is_valid=found.is_valid,
        label=found.label,
        people=sum(answer.is_valid is found.is_valid for answer in answers),
        agreement=round(found.share, 4),
        confidence=found.highest_level,
        model_version=row.model_version,
        model_sha256=str(shas),
        score=row.confidence_score,
        look=_look(answers),
        score_shown=_one_of({answer.visible_context.get("score_shown") for answer in answers}),
        inclusion_probability=row.inclusion_probability or 1.0,
        origin=row.origin,
        answered_at=max(answer.created_at for answer in answers).isoformat(),
        exposure=str(frame.pk),
        night=frame.night.isoformat(),
        survey=frame.survey.name,
        camera=frame.camera,
        band=frame.filter_band,
        snr=candidate.significance if candidate else None,
    )


def _look(answers: Sequence[ValidationEvent]) -> str:
    shown = {answer.visible_context.get("answers_shown") for answer in answers}
    kinds = {UNKNOWN if count is None else SHOWN if count else BLIND for count in shown}
    return kinds.pop() if len(kinds) == 1 else MIXED


def _one_of(values: set[object]) -> bool | None:
    value = values.pop() if len(values) == 1 else None
    return value if isinstance(value, bool) else None
