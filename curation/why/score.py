"""What a model says of a detection, in words: how sure it is, what it takes it for, how usual it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detection.models import CandidateScore, Detection, DetectionType, Model
from detection.thresholds.in_force import latest_calibration

# From here on something is told to be unusual: one in a hundred of what the model was trained with is.
_UNUSUAL = 0.99
# Nearer to certain than this no share is told.
_CERTAIN = 0.005
_TYPES = (DetectionType.SUPERNOVA, DetectionType.VARIABLE, DetectionType.TRANSIENT)


@dataclass(frozen=True)
class Worth:
    """How probable it is that what has such a score is real, and from what that is known, as a sentence."""

    probability: float
    basis: str


@dataclass(frozen=True)
class Said:
    """What models say of a detection, in sentences; an empty one says nothing.

    sure : how sure the model is. basis : from what that is known. kind : what it is taken for and why. stamp : what it
    may be by its stamp alone. unusual : how unlike what the model was trained with; is_unusual : whether the score says
    little for that. reason : why it is a detection although the score alone would not make it one. others : what other
    versions say.
    """

    sure: str
    basis: str
    kind: str
    stamp: str
    unusual: str
    is_unusual: bool
    reason: str
    others: str


def said_of(row: Detection, scored: CandidateScore | None, others: list[CandidateScore]) -> Said:
    """Return what models say of a detection whose score may be shown.

    scored : by the model of the detection; None where that is not kept. others : by other versions.
    """
    model = row.model_run.model
    worth = worth_of(row.confidence_score, model)
    unlike = row.anomaly if scored is None else scored.anomaly
    reason = row.prediction_metadata.get("type_reason", "")
    kind = row.get_predicted_type_display()
    is_known = row.predicted_type != DetectionType.UNKNOWN
    return Said(
        sure=f"The model ({model}) is {_sure(worth.probability)}",
        basis=worth.basis,
        kind=f"Taken for: {kind.lower()}. {reason}".strip() if is_known else reason,
        stamp=_stamp(scored) if scored else "",
        unusual=_unusual(unlike),
        is_unusual=unlike is not None and unlike >= _UNUSUAL,
        reason=row.prediction_metadata.get("reason", ""),
        others=", ".join(f"{other.model} gives it {other.score:.3f}" for other in others),
    )


def worth_of(score: float, model: Model) -> Worth:
    """Return what a score of a model is worth: by the site's own answers where there are enough, else by the model's.

    Whatever else is known of what scores are worth is put in here, and nowhere else.
    """
    latest = latest_calibration(model)
    if latest is not None and latest.map_points:
        scores, values = zip(*latest.map_points, strict=True)
        answers = latest.real_count + latest.bogus_count
        return Worth(
            float(np.interp(score, scores, values)),
            f"Known from {answers} answers of {latest.night_count} of this site’s own nights.",
        )
    examples = f" ({model.training_dataset})" if model.training_dataset else ""
    return Worth(score, f"Calibrated on examples that it was not trained on{examples}, not on this site’s own nights.")


def _sure(probability: float) -> str:
    """Return what follows after "The model is"."""
    if probability > 1.0 - _CERTAIN:
        return "more than 99 % sure that it is real: of 100 with such a score more than 99 were."
    if probability < _CERTAIN:
        return "more than 99 % sure that it is not real: of 100 with such a score less than one was real."
    share = round(100.0 * probability)
    if probability >= 0.5:
        return f"{share} % sure that it is real: of 100 with such a score about {share} were."
    were = "was" if share == 1 else "were"
    return f"{100 - share} % sure that it is not real: of 100 with such a score about {share} {were} real."


def _stamp(scored: CandidateScore) -> str:
    shares = (scored.p_supernova, scored.p_variable, scored.p_transient)
    known = [(share, kind) for share, kind in zip(shares, _TYPES, strict=True) if share is not None]
    words = (f"{kind.label.lower()} {100.0 * share:.0f} %" for share, kind in sorted(known, reverse=True))
    return f"By its stamp alone, if it is real: {', '.join(words)}." if known else ""


def _unusual(unlike: float | None) -> str:
    """Return in words how unlike what the model was trained with something is; ranks are told to a thousandth."""
    if unlike is None:
        return ""
    share = int(1000.0 * unlike + 1e-6) / 10.0
    if unlike < _UNUSUAL:
        return f"Not unusual: {int(share)} % of what the model was trained with is more ordinary."
    told = f"{share:g} % of what" if unlike < 1.0 else "everything that"
    return f"Unlike {told} the model was trained with: its score may say little."
