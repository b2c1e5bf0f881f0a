"""Groups of keys: how they are headed, and what a change in them concerns, from when on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_AGAIN = "What was processed before stays as it is until it is processed again."


@dataclass(frozen=True)
class Group:
    """One group: its title, and a sentence that says what a change concerns, and when."""

    title: str
    concerns: str


_GROUPS: Mapping[str, Group] = MappingProxyType(
    {
        "ingest": Group("Ingest", "It concerns files that are taken in from now on."),
        # Pauses are no part of a run's configuration.
        "ingest.paused": Group("Ingest", "It concerns, at once, files that come or are queued."),
        "ingest.least_free_gb": Group("Ingest", "It concerns, at once, files that come or are queued."),
        "alerts.publishing_paused": Group("Alerts", "It concerns, at once, alerts that are not published yet."),
        "preprocessing": Group(
            "Calibration and measurement", f"It concerns frames that are calibrated from now on. {_AGAIN}"
        ),
        "differencing": Group(
            "References and subtraction", f"It concerns frames that are subtracted from now on. {_AGAIN}"
        ),
        "detection": Group(
            "Scores, detections and sources", f"It concerns frames that are scored from now on. {_AGAIN}"
        ),
        "known_objects": Group(
            "Known objects", "It concerns detections that are compared with known bodies from now on."
        ),
        "context": Group(
            "Context", "It concerns what is looked up from now on. What was loaded stays until it is old."
        ),
        "backup": Group("Backup", "It concerns, at once, what the admin and the mails of alarms say."),
        "retention": Group(
            "Retention", "It concerns, within hours, what is stored already; what was removed does not come back."
        ),
        "curation": Group(
            "Curation", "It concerns reviews from now on. What was decided stays until it is reviewed again."
        ),
        "people": Group("People", "It concerns the next log-in of each; who is logged in already stays."),
        "reports": Group("Reports", "It concerns reports that are prepared or sent from now on."),
        "alerts": Group(
            "Alerts", "It concerns sources the next time that the alert rule looks at them. What was sent stays."
        ),
    }
)


def group_of(key: str) -> Group:
    """Return the group of a key, by what stands before its first dot."""
    prefix = key.split(".")[0]
    found = _GROUPS.get(key) or _GROUPS.get(prefix)
    return found or Group(prefix.replace("_", " ").capitalize(), "It concerns work from now on.")
