"""Where the rows are that clients are told of by a key: catalog knows the lists of other apps by their names only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode
from rest_framework.request import Request

# The list for clients that holds the rows of each model, by the model's name without spaces.
RESOURCES: Mapping[str, str] = MappingProxyType(
    {
        "alert": "alerts",
        "alertpacket": "packets",
        "alertpublication": "publications",
        "apitoken": "api-tokens",
        "archive": "archives",
        "archivehost": "archive-hosts",
        "archiveproduct": "archive-products",
        "archiverun": "archive-runs",
        "auditlog": "audit-log",
        "calibration": "calibrations",
        "calibrationframe": "calibration-frames",
        "calibrationmaster": "calibration-masters",
        "candidate": "candidates",
        "candidatescore": "candidate-scores",
        "dataset": "data-sets",
        "delivery": "deliveries",
        "detection": "detections",
        "differencerun": "difference-runs",
        "doubt": "doubts",
        "field": "fields",
        "forcedphotometry": "forced-photometry",
        "incomingfile": "incoming-files",
        "instrumentprofile": "instrument-profiles",
        "knownobject": "known-objects",
        "knownobjectsearch": "known-object-searches",
        "labeldefinition": "labels",
        "model": "models",
        "modelrun": "model-runs",
        "mover": "movers",
        "observation": "observations",
        "orbitset": "orbit-sets",
        "preprocessrun": "preprocess-runs",
        "processingjob": "processing-jobs",
        "reference": "references",
        "removedfile": "removed-files",
        "report": "reports",
        "reportattempt": "report-attempts",
        "reportrow": "report-rows",
        "source": "sources",
        "subscription": "subscriptions",
        "survey": "surveys",
        "systemconfig": "system-config",
        "telescope": "telescopes",
        "tracklet": "tracklets",
        "user": "accounts",
        "validationevent": "validation-events",
    }
)
# What is no row, but rows of a list: by which parameters, whose values stand in its key with "/" between.
NARROWED: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "night": ("observations", ("night",)),
        "field_night": ("tracklets", ("field", "night")),
        "workflow": ("processing-jobs", ("workflow_id",)),
    }
)


def resource_of(model: type[Model]) -> str:
    """Return the name of the list that holds the rows of a model; "" where clients have none."""
    return str(RESOURCES.get(str(model._meta.model_name), ""))


def address(request: Request, name: str, *keys: object) -> str:
    """Return the whole address of something for clients; REST framework's own would carry `format` over to it."""
    return request.build_absolute_uri(reverse(f"api:{name}", args=keys))


def address_of(entity_type: str, entity_id: str, request: Request) -> str | None:
    """Return where that is which a job or a line of the audit log is about; None where clients have no such thing."""
    if entity_type in NARROWED:
        listed, parameters = NARROWED[entity_type]
        query = urlencode(dict(zip(parameters, entity_id.split("/"), strict=False)))
        return f"{address(request, f'{listed}-list')}?{query}"
    name = RESOURCES.get(entity_type.replace("_", ""))
    try:
        return address(request, f"{name}-detail", entity_id) if name and entity_id else None
    except NoReverseMatch:
        return None  # A name that was no key: of a model that was to be trained, say.
