"""Decide whether there is something to tell about a source, and write it down; the publisher sends it on."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

from catalog import audit, jobs
from catalog.config import Snapshot, snapshot
from catalog.failures import FailureCode
from curation.evidence import facts_of, message_of, title_of
from curation.models import Alert, AlertPriority, AlertType
from curation.numerics.agreement import LEVELS
from curation.services import verdict_of
from detection.models import Detection, DetectionStatus, Source
from observations.models import WcsQuality

_OPEN = (DetectionStatus.PENDING, DetectionStatus.VALIDATING)
_REAL = (DetectionStatus.VALIDATED, DetectionStatus.CONFIRMED)


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


def abandon(source_id: str, code: FailureCode, _: str) -> None:
    """Nothing is open: an alert is written in one piece."""


def _due(source: Source, config: Snapshot) -> Alert | None:
    rows = list(
        Detection.objects.filter(source=source)
        .exclude(status=DetectionStatus.ARCHIVED)
        .exclude(observation__wcs_quality=WcsQuality.NOMINAL)
        .select_related("observation", "candidate__difference_run__reference")
        .order_by("observation__mjd_utc", "id")
    )
    justified = {row.pk: basis for row in rows if (basis := _basis(row, config))}
    last = Alert.objects.filter(detection__source=source).order_by("-created_at", "-id").first()
    is_standing = last is not None and last.alert_type != AlertType.RETRACTION
    if not justified:
        return _retraction(last) if last is not None and is_standing else None
    told = [row for row in rows if row.pk in justified]
    best = told[-1]
    facts = facts_of(source, told, best) | {"basis": _kind_of_basis(told, justified)}
    if last is not None and is_standing and not _has_changed(last.alert_metadata, facts, config):
        return None
    kind = AlertType.UPDATE if is_standing else AlertType.NEW
    return Alert(
        detection=best,
        alert_type=kind,
        priority=_priority(facts, config),
        title=title_of(kind, facts),
        message=message_of(kind, facts, justified[best.pk]),
        alert_metadata=facts,
    )


def _basis(row: Detection, config: Snapshot) -> str:
    """Return the sentence that says why a detection is told about, or "" when it is not."""
    if row.status in _REAL:
        found = verdict_of(row)
        if found.is_valid and LEVELS.index(found.highest_level) >= LEVELS.index(config["alerts.min_human_confidence"]):
            return f"People judged it real, with {found.highest_level} confidence ({found.share or 0.0:.0%} agree)."
        return ""
    candidate = row.candidate
    if row.status not in _OPEN or not config["alerts.automatic"] or candidate is None:
        return ""
    is_sure = row.confidence_score >= config["alerts.automatic_threshold"]
    is_bright = abs(candidate.snr) >= config["alerts.automatic_min_snr"]
    return "No person has looked at it yet." if is_sure and is_bright else ""


def _kind_of_basis(told: list[Detection], justified: dict[UUID, str]) -> str:
    return "human" if any(row.status in _REAL for row in told if row.pk in justified) else "automatic"


def _has_changed(before: dict[str, Any], now: dict[str, Any], config: Snapshot) -> bool:
    """Tell whether people have judged otherwise since, or the source has: by so many magnitudes, in one band."""
    if any(before.get(name) != now[name] for name in ("basis", "label", "detection_type")):
        return True
    if (before.get("rate_arcsec_per_min") is None) != (now["rate_arcsec_per_min"] is None):
        return True
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


def _retraction(last: Alert) -> Alert:
    """Take back what was told, with the facts as they were told."""
    facts = last.alert_metadata
    return Alert(
        detection=last.detection,
        alert_type=AlertType.RETRACTION,
        priority=last.priority,
        title=title_of(AlertType.RETRACTION, facts),
        message=message_of(AlertType.RETRACTION, facts, "people rejected it, or a better subtraction lost it."),
        alert_metadata=facts | {"retracts": str(last.pk)},
    )
