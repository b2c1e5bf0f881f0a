"""What people say of detections, and what is made known of them."""

from __future__ import annotations

from curation.models.alerts import Alert, AlertPriority, AlertPublication, AlertStatus, AlertType
from curation.models.gold import GoldAnswer, GoldItem, InjectedKind
from curation.models.judgements import (
    ConfidenceLevel,
    Conflict,
    Contradiction,
    EventKind,
    LabelDefinition,
    LabelExample,
    Quality,
    Shown,
    ValidationEvent,
)
from curation.models.notes import Mention, Note
from curation.models.packets import AlertPacket
from curation.models.push import (
    MOST_ATTEMPTS,
    OPEN,
    Delivery,
    DeliveryStatus,
    Destination,
    SigningSecret,
    Subscription,
)
from curation.models.reports import (
    AWAITED,
    STANDING,
    AttemptKind,
    Report,
    ReportAttempt,
    ReportRow,
    ReportService,
    ReportStatus,
)
from curation.models.triage import Deferral, DeferralKind, Lease, SavedFilter, SavedFilterQuerySet, TriageSettings

__all__ = [
    "AWAITED",
    "MOST_ATTEMPTS",
    "OPEN",
    "STANDING",
    "Alert",
    "AlertPacket",
    "AlertPriority",
    "AlertPublication",
    "AlertStatus",
    "AlertType",
    "AttemptKind",
    "ConfidenceLevel",
    "Conflict",
    "Contradiction",
    "Deferral",
    "DeferralKind",
    "Delivery",
    "DeliveryStatus",
    "Destination",
    "EventKind",
    "GoldAnswer",
    "GoldItem",
    "InjectedKind",
    "LabelDefinition",
    "LabelExample",
    "Lease",
    "Mention",
    "Note",
    "Quality",
    "Report",
    "ReportAttempt",
    "ReportRow",
    "ReportService",
    "ReportStatus",
    "SavedFilter",
    "SavedFilterQuerySet",
    "Shown",
    "SigningSecret",
    "Subscription",
    "TriageSettings",
    "ValidationEvent",
]
