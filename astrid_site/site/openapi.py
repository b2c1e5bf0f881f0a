"""What the OpenAPI document says of itself, and how its parts are named: settings of drf-spectacular."""

from __future__ import annotations

OPENAPI: dict[str, object] = {
    "TITLE": "AstrID",
    "DESCRIPTION": "What the telescopes delivered, what changed in the sky, how people judged it, and the alerts.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["catalog.web.rest.permissions.ByRoleAndScope"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "catalog.web.rest.schema.with_problems"],
    "ENUM_NAME_OVERRIDES": {
        "RunStatus": "catalog.models.RunStatus",
        "JobStatus": "catalog.models.JobStatus",
        "FailureCode": "catalog.failures.failure_code_choices",
        "WcsQuality": "observations.models.WcsQuality",
        "ObservationStatus": "observations.models.ObservationStatus",
        "CandidateStatus": "differencing.models.CandidateStatus",
        "DetectionStatus": "detection.models.DetectionStatus",
        "DetectionType": "detection.models.DetectionType",
        "DetectionOrigin": "detection.models.DetectionOrigin",
        "AlertStatus": "curation.models.AlertStatus",
        "AlertType": "curation.models.AlertType",
        "Quality": "curation.models.Quality",
        "EventKind": "curation.models.EventKind",
        "ReportStatus": "curation.models.ReportStatus",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None, "persistAuthorization": False},
}
