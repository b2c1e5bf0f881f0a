"""Who may do what: one table of permissions for each role, for pages, clients and the admin alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from django.apps.registry import Apps
from django.contrib.auth.models import Permission

ROLES = ("viewer", "curator", "expert", "operator", "administrator")

# What an action asks for. Products are changed by no form: to change one is to order work on it.
MAY_ORDER_JOBS = "catalog.change_processingjob"
MAY_ORDER_FRAMES = "observations.change_observation"
MAY_SUBMIT_FRAMES = "observations.add_observation"
# To try an archive, ask it, and switch it; what it is asked is kept by administrators.
MAY_ORDER_ARCHIVES = "observations.change_archive"
MAY_KEEP_ARCHIVES = "observations.add_archive"
MAY_SETTLE_DOUBTS = "observations.change_doubt"
MAY_KEEP_SURVEYS = "observations.change_survey"
MAY_KEEP_PROFILES = "observations.change_instrumentprofile"
MAY_PROMOTE_REFERENCES = "differencing.change_reference"
MAY_ACTIVATE_MODELS = "detection.change_model"
MAY_JUDGE = "curation.add_validationevent"
MAY_SETTLE_CONFLICTS = "curation.change_conflict"
MAY_MARK_KNOWN = "curation.add_golditem"
MAY_CHOOSE_EXAMPLES = "curation.add_labelexample"
MAY_ACKNOWLEDGE = "curation.change_alert"
MAY_SUBSCRIBE = "curation.add_subscription"
MAY_REPORT = "curation.add_report"
MAY_CONFIGURE = "catalog.change_systemconfig"
MAY_KEEP_ACCOUNTS = "catalog.change_user"
MAY_LIFT_LOCKS = "axes.delete_accessattempt"
# The admin is for those who run the system, and theirs are the logs of its processes.
MAY_OPEN_ADMIN = "catalog.view_jobattempt"


def _of(action: str, models: Iterable[str]) -> frozenset[str]:
    return frozenset(f"{model.replace('.', f'.{action}_')}" for model in models)


# What was seen in the sky, and how far the work on it is: everybody with an account reads it.
SHOWN_TO_ALL = (
    "observations.survey", "observations.telescope", "observations.field", "observations.observation",
    "observations.calibrationframe", "observations.doubt", "observations.instrumentprofile",
    "preprocessing.calibrationmaster", "preprocessing.preprocessrun", "preprocessing.starcatalogfield",
    "differencing.reference", "differencing.differencerun", "differencing.candidate", "differencing.tracklet",
    "differencing.mover",
    "detection.dataset", "detection.model", "detection.modelrun", "detection.candidatescore", "detection.source",
    "detection.detection",
    "detection.forcedphotometry", "detection.orbitset", "detection.knownobjectsearch", "detection.knownobject",
    "detection.contextarea", "detection.contextsource", "detection.calibration",
    "curation.labeldefinition", "curation.labelexample", "curation.validationevent", "curation.alert",
    "curation.alertpublication", "curation.alertpacket", "catalog.processingjob", "catalog.removedfile",
)  # fmt: skip
# Logs, processes and files on their way in, which only those who run the system need.
SHOWN_TO_OPERATORS = (
    "catalog.jobattempt", "catalog.probe", "catalog.retentionpass", "observations.incomingfile", "observations.archive",
    "observations.archiverun", "observations.archiveproduct", "observations.archivehost",
    "curation.lease", "curation.deferral",
    "curation.note", "curation.mention", "curation.contradiction", "curation.savedfilter", "curation.triagesettings",
)  # fmt: skip
# What would tell a curator beforehand which answer is expected.
SHOWN_TO_EXPERTS = ("curation.conflict", "curation.golditem", "curation.goldanswer")
# People, their rights and what they did, and the configuration.
SHOWN_TO_ADMINISTRATORS = (
    "catalog.user", "catalog.apitoken", "catalog.systemconfig", "catalog.auditlog", "catalog.auditseal",
    "auth.group", "axes.accessattempt", "curation.subscription", "curation.delivery", "curation.report",
    "curation.reportrow", "curation.reportattempt",
    "catalog.accountlink", "catalog.loginsession", "mfa.authenticator",
)  # fmt: skip
# Rows that people write by hand.
KEPT_BY_ADMINISTRATORS = (
    "observations.survey", "observations.telescope", "observations.instrumentprofile", "curation.labeldefinition",
    "catalog.user", "auth.group",
)  # fmt: skip

_VIEWER = _of("view", SHOWN_TO_ALL)
# Their own, and what came of them: all are shown to administrators alone.
_SUBSCRIBER = _of("view", ("curation.subscription", "curation.delivery")) | {MAY_SUBSCRIBE}
# What is told to other services tells what people judged, as alerts do: whoever may report reads all of it.
_REPORTER = _of("view", ("curation.report", "curation.reportrow", "curation.reportattempt")) | {MAY_REPORT}
_CURATOR = _VIEWER | _SUBSCRIBER | _REPORTER | {MAY_JUDGE, MAY_ACKNOWLEDGE}
_EXPERT = _CURATOR | _of("view", SHOWN_TO_EXPERTS) | {MAY_SETTLE_CONFLICTS, MAY_MARK_KNOWN, MAY_CHOOSE_EXAMPLES}
_OPERATOR = (
    _VIEWER
    | _SUBSCRIBER
    | _REPORTER
    | _of("view", SHOWN_TO_OPERATORS)
    | {MAY_ORDER_JOBS, MAY_ORDER_FRAMES, MAY_SUBMIT_FRAMES, MAY_ORDER_ARCHIVES, MAY_SETTLE_DOUBTS, MAY_ACKNOWLEDGE}
)
_ADMINISTRATOR = (
    _EXPERT
    | _OPERATOR
    | _of("view", SHOWN_TO_ADMINISTRATORS)
    | {permission for action in ("add", "change", "delete") for permission in _of(action, KEPT_BY_ADMINISTRATORS)}
    | {MAY_KEEP_ARCHIVES, MAY_PROMOTE_REFERENCES, MAY_ACTIVATE_MODELS, MAY_LIFT_LOCKS, MAY_CONFIGURE}
)
PERMISSIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {"viewer": _VIEWER, "curator": _CURATOR, "expert": _EXPERT, "operator": _OPERATOR, "administrator": _ADMINISTRATOR}
)


def grant(apps: Apps) -> None:
    """Make the roles' groups and give them what the table says; a repeat adds what is new in it.

    `apps` is a migration's, whose permissions may not be there yet: Django would make them after all migrations.
    """
    groups, permissions = apps.get_model("auth", "Group").objects, _permissions(apps)
    for role, names in PERMISSIONS.items():
        groups.get_or_create(name=role)[0].permissions.add(*(permissions[name] for name in sorted(names)))


def _permissions(apps: Apps) -> dict[str, Permission]:
    """Return the permissions of the table by their names; those that are not there yet are made."""
    kinds, permissions = apps.get_model("contenttypes", "ContentType"), apps.get_model("auth", "Permission")
    there = {
        (found.content_type.app_label, found.content_type.model, found.codename): found
        for found in permissions.objects.select_related("content_type")
    }
    named = {}
    for name in sorted(frozenset[str]().union(*PERMISSIONS.values())):
        app_label, codename = name.split(".")
        action, model = codename.split("_", 1)
        found = there.get((app_label, model, codename))
        if found is None:
            kind, _ = kinds.objects.get_or_create(app_label=app_label, model=model)
            found = permissions.objects.create(content_type=kind, codename=codename, name=f"Can {action} {model}")
        named[name] = found
    return named
