"""Decide whether there is something to tell about a source, and write it down; the publisher sends it on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from catalog.configuration.values import Snapshot, snapshot
from catalog.people import audit
from catalog.work import jobs
from curation.alerts.facts import Known, facts_of
from curation.alerts.publishing import publish_pending
from curation.alerts.rule import Ground, Look, looks_at
from curation.alerts.words import message_of, people_text, title_of
from curation.judgements.verdicts import REAL
from curation.models import Alert, AlertPriority, AlertStatus, AlertType
from detection.models import DetectionStatus, Source


def run(source_id: str) -> None:
    """Write the alert that is due for a source: new, update or retraction; most often none.

    Told again, with nothing changed, it writes nothing.
    """
    config = snapshot()
    with jobs.writing(last=True):
        source = Source.objects.select_for_update().filter(pk=source_id).first()
        if source is None:
            return  # Its detections were taken back by a better subtraction.
        alert = _due(source, config)
        if alert is not None:
            alert.save(force_insert=True)
            audit.record(alert, f"alert_{alert.alert_type}", new={"title": alert.title, "priority": alert.priority})
            # At once, so that nobody waits for the beat; which does it where this fails.
            transaction.on_commit(publish_pending, robust=True)


def _due(source: Source, config: Snapshot) -> Alert | None:
    looks = looks_at(source, config)
    told = [look for look in looks if look.ground]
    last = _last(source)
    if not told:
        return _retraction(last, looks) if last is not None else None
    best = told[-1].detection
    live = [look for look in looks if look.is_live]
    facts = facts_of(source, Known(best, tuple(look.detection for look in live), _type_and_label(told)))
    facts |= {
        "basis": Ground.HUMAN if any(look.ground == Ground.HUMAN for look in told) else Ground.AUTOMATIC,
        "grounds": {str(look.detection.pk): str(look.ground) for look in told},
        "judged_by": _judged_by(live),
        "updates": str(last.pk) if last is not None else None,
    }
    if last is not None and not _has_changed(last, looks, facts, config):
        return None
    kind = AlertType.NEW if last is None else AlertType.UPDATE
    return Alert(
        detection=best,
        alert_type=kind,
        priority=_priority(facts, config),
        title=title_of(kind, facts),
        message=message_of(kind, facts, _judgement(told)),
        alert_metadata=facts,
    )


def _last(source: Source) -> Alert | None:
    """Return what is told about a source now; None where nothing is, or it was taken back."""
    alerts = Alert.objects.filter(detection__source=source).exclude(status=AlertStatus.CANCELLED)
    last = alerts.order_by("-created_at", "-id").first()
    return None if last is None or last.alert_type == AlertType.RETRACTION else last


def _type_and_label(told: Sequence[Look]) -> tuple[str, str]:
    """Return what people last took the source for, in whichever frame; else what the newest detection says."""
    labelled = [look.detection for look in told if look.ground == Ground.HUMAN and look.detection.human_label]
    row = labelled[-1] if labelled else told[-1].detection
    return row.detection_type, row.human_label


def _judged_by(looks: Sequence[Look]) -> list[dict[str, Any]]:
    return [
        {
            "detection": str(look.detection.pk),
            "user": event.validator.get_username(),
            "is_valid": event.is_valid,
            "confidence_level": event.confidence_level,
            "label": event.label or None,
        }
        for look in looks
        for event in look.answers
    ]


def _judgement(told: Sequence[Look]) -> str:
    """Return the sentences that say who took it for real, and who did not."""
    answers = [event for look in told for event in look.answers]
    if not any(look.ground == Ground.HUMAN for look in told):
        return "No person has looked at it yet."
    if not any(event.is_valid for event in answers):
        return "It is confirmed by independent evidence."
    agreeing = f"Judged real by {people_text(answers, is_valid=True)}."
    if all(event.is_valid for event in answers):
        return agreeing
    return f"{agreeing} Judged not real by {people_text(answers, is_valid=False)}."


def _has_changed(last: Alert, looks: Sequence[Look], now: dict[str, Any], config: Snapshot) -> bool:
    """Tell whether people have judged otherwise since, or the source has: by so many magnitudes, in one band."""
    before = last.alert_metadata
    if any(before.get(name) != now[name] for name in ("basis", "label", "detection_type")):
        return True
    if (before.get("rate_arcsec_per_min") is None) != (now["rate_arcsec_per_min"] is None):
        return True
    if any(look.fell(_told_for(last, look)) for look in looks if look.detection.pk == last.detection_id):
        return True  # Its numbers were those of a detection that is none any more.
    return _has_varied(before, now, config)


def _has_varied(before: dict[str, Any], now: dict[str, Any], config: Snapshot) -> bool:
    old, new = before.get("flux_adu"), now["flux_adu"]
    if before.get("band") != now["band"] or not old or not new:
        return False
    if (old > 0) != (new > 0):
        return True
    # Of calibrated magnitudes where both are known: exposures differ in length and in haze.
    if before.get("mag") is not None and now["mag"] is not None:
        change = abs(now["mag"] - before["mag"])
        noise = math.hypot(before.get("mag_error") or 0.0, now["mag_error"] or 0.0)
    else:
        rates = [old / (before.get("exposure_s") or 1.0), new / (now["exposure_s"] or 1.0)]
        change = abs(2.5 * math.log10(rates[1] / rates[0]))
        noise = math.hypot(*(1.0857 / max(abs(facts.get("snr") or 1.0), 1.0) for facts in (before, now)))
    return bool(change >= max(config["alerts.update_mag"], 3.0 * noise))


def _priority(facts: dict[str, Any], config: Snapshot) -> str:
    """Bright is critical; what people judged or what is very significant is high; what fades or moves is low."""
    if facts["mag"] is not None and facts["mag"] <= config["alerts.critical_mag"]:
        return AlertPriority.CRITICAL
    if facts["is_negative"] or facts["rate_arcsec_per_min"] is not None:
        return AlertPriority.LOW
    if facts["basis"] == "human" or abs(facts["snr"] or 0.0) >= config["alerts.high_snr"]:
        return AlertPriority.HIGH
    return AlertPriority.MEDIUM


def _told_for(last: Alert, look: Look) -> str:
    return str(last.alert_metadata.get("grounds", {}).get(str(look.detection.pk), Ground.NONE))


def _retraction(last: Alert, looks: Sequence[Look]) -> Alert | None:
    """Take back what was told, with the facts as they were told; None while what it rested on stands.

    One detection that people rejected of those that were told is enough, where they found none real: what speaks for
    the others is the same score that was wrong about this one.
    """
    rested_on = [look for look in looks if _told_for(last, look) or look.detection.pk == last.detection_id]
    fell = [look.fell(_told_for(last, look)) for look in rested_on]
    is_contradicted = any(look.detection.status == DetectionStatus.REJECTED for look in rested_on)
    is_backed = any(look.detection.status in REAL for look in looks)
    if not all(fell) and (is_backed or not is_contradicted):
        return None
    reasons = list(dict.fromkeys(reason for reason in fell if reason))
    facts = last.alert_metadata
    return Alert(
        detection=last.detection,
        alert_type=AlertType.RETRACTION,
        priority=last.priority,
        title=title_of(AlertType.RETRACTION, facts),
        message=message_of(AlertType.RETRACTION, facts, "; ".join(reasons)),
        alert_metadata=facts | {"retracts": str(last.pk), "reasons": reasons},
    )
