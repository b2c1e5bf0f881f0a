"""What a token may be allowed, declared once: a kind of thing, to read it or to write it.

Beside each scope stands the permission of `catalog.roles` that its owner needs: a token never can more than they.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from catalog.models import Visitor
from catalog.roles import (
    MAY_ACKNOWLEDGE,
    MAY_JUDGE,
    MAY_ORDER_ARCHIVES,
    MAY_ORDER_JOBS,
    MAY_REPORT,
    MAY_SETTLE_DOUBTS,
    MAY_SUBMIT_FRAMES,
)


@dataclass(frozen=True)
class Scope:
    """One thing that a token may do."""

    permission: str
    title: str


SCOPES: Mapping[str, Scope] = MappingProxyType(
    {
        "accounts:read": Scope("catalog.view_user", "read who has an account"),
        "alerts:read": Scope("curation.view_alert", "read alerts and follow the feed"),
        "alerts:write": Scope(MAY_ACKNOWLEDGE, "acknowledge alerts"),
        "api-tokens:read": Scope("catalog.view_apitoken", "read which tokens there are"),
        "archive-hosts:read": Scope("observations.view_archivehost", "read which servers are left alone"),
        "archive-products:read": Scope("observations.view_archiveproduct", "read what archives offer"),
        "archive-runs:read": Scope("observations.view_archiverun", "read what archives answered"),
        "archives:read": Scope("observations.view_archive", "read which archives are asked"),
        "archives:write": Scope(MAY_ORDER_ARCHIVES, "ask archives at once"),
        "audit-log:read": Scope("catalog.view_auditlog", "read the audit log"),
        "calibration-frames:read": Scope("observations.view_calibrationframe", "read calibration frames"),
        "calibration-masters:read": Scope("preprocessing.view_calibrationmaster", "read masters"),
        "calibrations:read": Scope("detection.view_calibration", "read how scores of models were calibrated"),
        "candidate-scores:read": Scope("detection.view_candidatescore", "read how models score candidates"),
        "candidates:read": Scope("differencing.view_candidate", "read candidates"),
        "data-sets:read": Scope("detection.view_dataset", "read what models are trained with and measured by"),
        "detections:read": Scope("detection.view_detection", "read detections"),
        "deliveries:read": Scope("curation.view_delivery", "read what was sent to one's subscriptions"),
        "difference-runs:read": Scope("differencing.view_differencerun", "read subtractions"),
        "doubts:read": Scope("observations.view_doubt", "read what is in doubt about frames"),
        "doubts:write": Scope(MAY_SETTLE_DOUBTS, "settle doubts"),
        "fields:read": Scope("observations.view_field", "read fields"),
        "forced-photometry:read": Scope("detection.view_forcedphotometry", "read forced photometry"),
        "incoming-files:read": Scope("observations.view_incomingfile", "read what became of submitted files"),
        "instrument-profiles:read": Scope("observations.view_instrumentprofile", "read profiles of instruments"),
        "known-object-searches:read": Scope(
            "detection.view_knownobjectsearch", "read for which frames known bodies were computed"
        ),
        "known-objects:read": Scope("detection.view_knownobject", "read which known bodies are in frames"),
        "labels:read": Scope("curation.view_labeldefinition", "read labels"),
        "model-runs:read": Scope("detection.view_modelrun", "read model runs"),
        "models:read": Scope("detection.view_model", "read models"),
        "movers:read": Scope("differencing.view_mover", "read what moved in several nights"),
        "observations:read": Scope("observations.view_observation", "read observations"),
        "observations:write": Scope(MAY_SUBMIT_FRAMES, "upload frames"),
        "orbit-sets:read": Scope("detection.view_orbitset", "read which orbits are loaded"),
        "packets:read": Scope("curation.view_alertpacket", "read which packets were written"),
        "preprocess-runs:read": Scope("preprocessing.view_preprocessrun", "read calibrations"),
        "processing-jobs:read": Scope("catalog.view_processingjob", "read jobs"),
        "processing-jobs:write": Scope(MAY_ORDER_JOBS, "retry and cancel jobs"),
        "publications:read": Scope("curation.view_alertpublication", "read what was published"),
        "references:read": Scope("differencing.view_reference", "read references"),
        "removed-files:read": Scope("catalog.view_removedfile", "read which files were removed by retention"),
        "report-attempts:read": Scope("curation.view_reportattempt", "read what services answered about reports"),
        "report-rows:read": Scope("curation.view_reportrow", "read what became of each object of reports"),
        "reports:read": Scope("curation.view_report", "read reports to the services that name objects"),
        "reports:write": Scope(MAY_REPORT, "prepare, send and take back reports"),
        "sources:read": Scope("detection.view_source", "read sources"),
        "subscriptions:read": Scope("curation.view_subscription", "read one's subscriptions to alerts"),
        "surveys:read": Scope("observations.view_survey", "read surveys"),
        "system-config:read": Scope("catalog.view_systemconfig", "read the configuration"),
        "telescopes:read": Scope("observations.view_telescope", "read telescopes"),
        "tracklets:read": Scope("differencing.view_tracklet", "read tracklets"),
        "validation-events:read": Scope("curation.view_validationevent", "read judgements"),
        "validation-events:write": Scope(MAY_JUDGE, "judge detections"),
    }
)


def open_to(user: Visitor) -> dict[str, str]:
    """Return the scopes that a person's role has a use for, with their titles."""
    return {name: scope.title for name, scope in SCOPES.items() if user.has_perm(scope.permission)}
