"""How soon people should see something, in the queue and as an alert."""

from __future__ import annotations

from catalog.configuration.values import Snapshot
from detection.models import Urgency


def urgency_of(mag: float | None, snr: float | None, *, is_rising: bool, config: Snapshot) -> Urgency:
    """Say how soon people should see something: bright is critical, very significant high, what fades or moves low.

    mag : None where it is not known. is_rising : brighter than before, and in its place.
    """
    if mag is not None and mag <= config["alerts.critical_mag"]:
        return Urgency.CRITICAL
    if not is_rising:
        return Urgency.LOW
    return Urgency.HIGH if abs(snr or 0.0) >= config["alerts.high_snr"] else Urgency.MEDIUM
