"""Who may open what: the words in which each app's `tests/<app>/routes.py` lists its addresses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.curation.cutouts import detection_with_cutouts
from tests.factories import AlertFactory, DetectionFactory, ModelFactory, ProcessingJobFactory, SourceFactory

ROLES = ("viewer", "curator", "operator", "administrator")
EVERYBODY = frozenset({"stranger", *ROLES})
ACCOUNTS = frozenset(ROLES)
CURATORS = frozenset({"curator", "administrator"})
OPERATORS = frozenset({"operator", "administrator"})
ADMINISTRATORS = frozenset({"administrator"})


@dataclass(frozen=True)
class Route:
    """One address and one method: who may, and how a test comes to a row that it shows.

    `keys` makes the row and returns the arguments of the address. What is sent may be incomplete: who may is told 400
    or the like, who may not is told 403 before anything is looked at. Strangers are sent to the log-in, at addresses
    for clients they are told 401.
    """

    may: frozenset[str]
    keys: Callable[[], list[Any]] = list
    method: str = "get"
    data: dict[str, Any] = field(default_factory=dict)
    is_for_clients: bool = False


def key_of(factory: Any) -> Callable[[], list[Any]]:
    """Return a maker of one row's key."""
    return lambda: [factory().pk]


# By name of the address: each app's routes, and the site's own.
SITE = {
    "home": [Route(ACCOUNTS)],
    "login": [Route(EVERYBODY)],
    "logout": [Route(EVERYBODY, method="post")],
    "healthz": [Route(EVERYBODY)],
    "readyz": [Route(EVERYBODY)],
}
CATALOG = {
    "catalog:jobs": [Route(ACCOUNTS)],
    "catalog:job": [Route(ACCOUNTS, keys=key_of(ProcessingJobFactory))],
    "catalog:retry_job": [Route(OPERATORS, keys=key_of(ProcessingJobFactory), method="post")],
    "catalog:cancel_job": [Route(OPERATORS, keys=key_of(ProcessingJobFactory), method="post")],
    "catalog:audit": [Route(ADMINISTRATORS)],
    "catalog:profile": [Route(ACCOUNTS)],
}
OBSERVATIONS = {
    "observations:observations": [Route(ACCOUNTS)],
}
DIFFERENCING: dict[str, list[Route]] = {}
DETECTION = {
    "detection:detections": [Route(ACCOUNTS)],
    "detection:cutouts": [Route(ACCOUNTS, keys=lambda: [detection_with_cutouts().pk])],
    "detection:pixels": [Route(ACCOUNTS, keys=lambda: [detection_with_cutouts().pk])],
    "detection:sources": [Route(ACCOUNTS)],
    "detection:models": [Route(ACCOUNTS)],
    "detection:model": [Route(ACCOUNTS, keys=key_of(ModelFactory))],
}
CURATION = {
    "curation:triage": [Route(CURATORS)],
    "curation:triage_next": [Route(CURATORS, method="post")],
    "curation:triage_answers": [Route(CURATORS, method="post")],
    "curation:triage_presence": [Route(CURATORS, method="post")],
    "curation:triage_release": [Route(CURATORS, method="post")],
    "curation:alerts": [Route(ACCOUNTS)],
    "curation:alert": [Route(ACCOUNTS, keys=key_of(AlertFactory))],
    "curation:detection": [Route(ACCOUNTS, keys=key_of(DetectionFactory))],
    "curation:source": [Route(ACCOUNTS, keys=key_of(SourceFactory))],
}
# Addresses under /api/v1/.
API: dict[str, list[Route]] = {}

ROUTES: dict[str, list[Route]] = {
    **SITE, **CATALOG, **OBSERVATIONS, **DIFFERENCING, **DETECTION, **CURATION, **API,
}  # fmt: skip
