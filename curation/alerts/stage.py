"""Decide whether there is something to tell about a source, and write it down; the publisher sends it on."""

from __future__ import annotations

import math
from collections.abc import Sequence

from django.db import transaction

from catalog.configuration.values import Snapshot, snapshot
from catalog.json_classes import as_json
from catalog.people import audit
from catalog.work import jobs
from curation.alerts.facts import AlertFacts, Ground, JudgedBy, Known, facts_of, facts_told, retracted
from curation.alerts.publishing import publish_pending
from curation.alerts.rule import Look, looks_at
from curation.alerts.words import message_of, people_text, retraction_of, title_of
from curation.judgements.verdicts import REAL
from curation.models import Alert, AlertPriority, AlertStatus, AlertType, ConfidenceLevel
from detection.models import DetectionStatus, DetectionType, Source, Urgency
from detection.sources.urgency import urgency_of

_PRIORITIES = {
    Urgency.LOW: AlertPriority.LOW,
    Urgency.MEDIUM: AlertPriority.MEDIUM,
    Urgency.HIGH: AlertPriority.HIGH,
    Urgency.CRITICAL: AlertPriority.CRITICAL,
}


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
    detection_type, label = _type_and_label(told)
    live = [look for look in looks if look.is_live]
    known = Known(
        best=told[-1].detection,
        live=tuple(look.detection for look in live),
        detection_type=detection_type,
        label=label,
        grounds={look.detection.pk: look.ground for look in told},
        judged_by=_judged_by(live),
        updates=last.pk if last is not None else None,
    )
    facts = facts_of(source, known)
    if last is not None and not _has_changed(last, looks, facts, config):
        return None
    kind = AlertType.NEW if last is None else AlertType.UPDATE
    return Alert(
        detection=known.best,
        alert_type=kind,
        priority=_priority(facts, config),
        title=title_of(kind, facts),
        message=message_of(facts, _judgement(told)),
        alert_metadata=as_json(facts),
    )


def _last(source: Source) -> Alert | None:
    """Return what is told about a source now; None where nothing is, or it was taken back."""
    alerts = Alert.objects.filter(detection__source=source).exclude(status=AlertStatus.CANCELLED)
    last = alerts.order_by("-created_at", "-id").first()
    return None if last is None or last.alert_type == AlertType.RETRACTION else last


def _type_and_label(told: Sequence[Look]) -> tuple[DetectionType, str]:
    """Return what people last took the source for, in whichever frame; else what the newest detection says."""
    labelled = [look.detection for look in told if look.ground == Ground.HUMAN and look.detection.human_label]
    row = labelled[-1] if labelled else told[-1].detection
    return DetectionType(row.detection_type), row.human_label


def _judged_by(looks: Sequence[Look]) -> tuple[JudgedBy, ...]:
    return tuple(
        JudgedBy(
            detection=look.detection.pk,
            user=event.validator.get_username(),
            is_valid=event.is_valid,
            confidence_level=ConfidenceLevel(event.confidence_level),
            label=event.label or None,
        )
        for look in looks
        for event in look.answers
    )


def _judgement(told: Sequence[Look]) -> str:
    """Return the sentences that say who took it for real, and who did not."""
    answers = [event for look in told for event in look.answers]
    if not any(look.ground == Ground.HUMAN for look in told):
        return "Nobody has reviewed it yet."
    if not any(event.is_valid for event in answers):
        return "It is confirmed by independent evidence."
    agreeing = f"Judged real by {people_text(answers, is_valid=True)}."
    if all(event.is_valid for event in answers):
        return agreeing
    return f"{agreeing} Judged not real by {people_text(answers, is_valid=False)}."


def _has_changed(last: Alert, looks: Sequence[Look], now: AlertFacts, config: Snapshot) -> bool:
    """Tell whether people have judged otherwise since, or the source has: by so many magnitudes, in one band."""
    before = facts_told(last)
    if (before.basis, before.label, before.detection_type) != (now.basis, now.label, now.detection_type):
        return True
    if (before.rate_arcsec_per_min is None) != (now.rate_arcsec_per_min is None):
        return True
    if any(look.fell(_told_for(before, look)) for look in looks if look.detection.pk == last.detection_id):
        return True  # Its numbers were those of a detection that is none any more.
    return _has_varied(before, now, config)


def _has_varied(before: AlertFacts, now: AlertFacts, config: Snapshot) -> bool:
    if before.band != now.band or not before.flux_adu or not now.flux_adu:
        return False
    if (before.flux_adu > 0) != (now.flux_adu > 0):
        return True
    # Of calibrated magnitudes where both are known: exposures differ in length and in haze.
    if before.mag is not None and now.mag is not None:
        change = abs(now.mag - before.mag)
        noise = math.hypot(before.mag_error or 0.0, now.mag_error or 0.0)
    else:
        rates = [before.flux_adu / (before.exposure_s or 1.0), now.flux_adu / (now.exposure_s or 1.0)]
        change = abs(2.5 * math.log10(rates[1] / rates[0]))
        noise = math.hypot(*(1.0857 / max(abs(facts.snr or 1.0), 1.0) for facts in (before, now)))
    return bool(change >= max(config["alerts.update_mag"], 3.0 * noise))


def _priority(facts: AlertFacts, config: Snapshot) -> AlertPriority:
    """As urgent as it was for review, and at least high where people judged it, unless it fades or moves."""
    is_rising = not facts.is_negative and facts.rate_arcsec_per_min is None
    urgency = urgency_of(facts.mag, facts.snr, is_rising=is_rising, config=config)
    if urgency == Urgency.MEDIUM and facts.basis == Ground.HUMAN:
        urgency = Urgency.HIGH
    return _PRIORITIES[urgency]


def _told_for(told: AlertFacts, look: Look) -> Ground:
    return told.grounds.get(look.detection.pk, Ground.NONE)


def _retraction(last: Alert, looks: Sequence[Look]) -> Alert | None:
    """Take back what was told, with the facts as they were told; None while what it was based on stands.

    One detection that people rejected of those that were told is enough, where they found none real: what speaks for
    the others is the same score that was wrong about this one.
    """
    told = facts_told(last)
    rested_on = [look for look in looks if _told_for(told, look) or look.detection.pk == last.detection_id]
    fell = [look.fell(_told_for(told, look)) for look in rested_on]
    is_contradicted = any(look.detection.status == DetectionStatus.REJECTED for look in rested_on)
    is_backed = any(look.detection.status in REAL for look in looks)
    if not all(fell) and (is_backed or not is_contradicted):
        return None
    facts = retracted(last, tuple(dict.fromkeys(reason for reason in fell if reason)))
    return Alert(
        detection=last.detection,
        alert_type=AlertType.RETRACTION,
        priority=last.priority,
        title=title_of(AlertType.RETRACTION, facts),
        message=retraction_of(facts),
        alert_metadata=as_json(facts),
    )
