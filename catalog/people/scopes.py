"""What a token may be allowed, declared once: a kind of thing, to read it or to write it.

Beside each scope stands the permission of `catalog.roles` that its owner needs: a token never can more than they.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.contrib.auth.models import AbstractUser, AnonymousUser

from catalog.roles import MAY_ACKNOWLEDGE, MAY_JUDGE, MAY_ORDER_JOBS, MAY_SUBMIT_FRAMES


@dataclass(frozen=True)
class Scope:
    """One thing that a token may do."""

    permission: str
    title: str


SCOPES: Mapping[str, Scope] = MappingProxyType(
    {
        "alerts:read": Scope("curation.view_alert", "read alerts and follow the feed"),
        "alerts:write": Scope(MAY_ACKNOWLEDGE, "acknowledge alerts"),
        "audit-log:read": Scope("catalog.view_auditlog", "read the audit log"),
        "candidates:read": Scope("differencing.view_candidate", "read candidates"),
        "detections:read": Scope("detection.view_detection", "read detections"),
        "difference-runs:read": Scope("differencing.view_differencerun", "read subtractions"),
        "model-runs:read": Scope("detection.view_modelrun", "read model runs"),
        "models:read": Scope("detection.view_model", "read models"),
        "observations:read": Scope("observations.view_observation", "read observations"),
        "observations:write": Scope(MAY_SUBMIT_FRAMES, "upload frames"),
        "preprocess-runs:read": Scope("preprocessing.view_preprocessrun", "read calibrations"),
        "processing-jobs:read": Scope("catalog.view_processingjob", "read jobs"),
        "processing-jobs:write": Scope(MAY_ORDER_JOBS, "retry and cancel jobs"),
        "sources:read": Scope("detection.view_source", "read sources"),
        "surveys:read": Scope("observations.view_survey", "read surveys"),
        "system-config:read": Scope("catalog.view_systemconfig", "read the configuration"),
        "validation-events:read": Scope("curation.view_validationevent", "read judgements"),
        "validation-events:write": Scope(MAY_JUDGE, "judge detections"),
    }
)


def open_to(user: AbstractUser | AnonymousUser) -> dict[str, str]:
    """Return the scopes that a person's role has a use for, with their titles."""
    return {name: scope.title for name, scope in SCOPES.items() if user.has_perm(scope.permission)}
