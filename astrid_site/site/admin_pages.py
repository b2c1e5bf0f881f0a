"""The way through the admin, and its first page."""

from __future__ import annotations

import datetime as dt
from functools import cache

from django.db.models import QuerySet
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone

from astrid_site.backup import known
from astrid_site.monitoring.figures import disk_use, newest_night
from astrid_site.monitoring.processes import processes
from astrid_site.running.health import health
from catalog.counting import count_bounded, counted
from catalog.files import disk
from catalog.models import AuditLog, JobStatus, ProcessingJob, SystemConfig, Visitor
from observations.models import Observation

# Title, and what stands under it: title, icon, model. In the order of the pipeline.
_GROUPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Sky and frames",
        (
            ("Observations", "image", "observations.observation"),
            ("Incoming files", "download", "observations.incomingfile"),
            ("Archives", "cloud_download", "observations.archive"),
            ("Askings of archives", "contact_support", "observations.archiverun"),
            ("Files of archives", "folder_open", "observations.archiveproduct"),
            ("Servers of archives", "dns", "observations.archivehost"),
            ("Calibration frames", "dark_mode", "observations.calibrationframe"),
            ("Doubts", "help", "observations.doubt"),
            ("Instrument profiles", "photo_camera", "observations.instrumentprofile"),
            ("Fields", "grid_4x4", "observations.field"),
            ("Surveys", "travel_explore", "observations.survey"),
            ("Telescopes", "satellite_alt", "observations.telescope"),
        ),
    ),
    (
        "Pipeline",
        (
            ("Calibration masters", "layers", "preprocessing.calibrationmaster"),
            ("Fetched star catalogues", "stars", "preprocessing.starcatalogfield"),
            ("Preprocess runs", "tune", "preprocessing.preprocessrun"),
            ("References", "filter_none", "differencing.reference"),
            ("Difference runs", "difference", "differencing.differencerun"),
            ("Candidates", "flare", "differencing.candidate"),
            ("Tracklets", "timeline", "differencing.tracklet"),
            ("Movers", "moving", "differencing.mover"),
            ("Data sets", "dataset", "detection.dataset"),
            ("Models", "network_node", "detection.model"),
            ("Calibrations", "balance", "detection.calibration"),
            ("Model runs", "model_training", "detection.modelrun"),
            ("Candidate scores", "speed", "detection.candidatescore"),
            ("Detections", "my_location", "detection.detection"),
            ("Sources", "star", "detection.source"),
            ("Forced photometry", "show_chart", "detection.forcedphotometry"),
            ("Orbits", "orbit", "detection.orbitset"),
            ("Searches for known objects", "radar", "detection.knownobjectsearch"),
            ("Known objects", "brightness_5", "detection.knownobject"),
            ("Loaded catalogues", "travel_explore", "detection.contextarea"),
            ("Sources of catalogues", "flare", "detection.contextsource"),
        ),
    ),
    (
        "People and alerts",
        (
            ("Validation events", "how_to_reg", "curation.validationevent"),
            ("Labels", "label", "curation.labeldefinition"),
            ("Alerts", "campaign", "curation.alert"),
            ("Publications", "podcasts", "curation.alertpublication"),
            ("Packets", "inventory_2", "curation.alertpacket"),
            ("Subscriptions", "notifications", "curation.subscription"),
            ("Deliveries", "outgoing_mail", "curation.delivery"),
            ("Reports", "outbox", "curation.report"),
            ("Objects of reports", "label_important", "curation.reportrow"),
            ("Requests about reports", "swap_horiz", "curation.reportattempt"),
            ("Leases", "visibility", "curation.lease"),
            ("Put off", "snooze", "curation.deferral"),
            ("Notes", "note", "curation.note"),
            ("Mentions", "alternate_email", "curation.mention"),
            ("Contradictions", "compare_arrows", "curation.contradiction"),
            ("Saved filters", "filter_alt", "curation.savedfilter"),
            ("Keys of people", "keyboard", "curation.triagesettings"),
            ("Conflicts", "balance", "curation.conflict"),
            ("Known items", "verified", "curation.golditem"),
            ("Answers to known items", "quiz", "curation.goldanswer"),
            ("Examples of labels", "collections", "curation.labelexample"),
            ("Users", "person", "catalog.user"),
            ("Roles", "group", "auth.group"),
            ("Tokens", "key", "catalog.apitoken"),
            ("Failed log-ins", "lock", "axes.accessattempt"),
            ("Log-ins", "devices", "catalog.loginsession"),
            ("Invitations and resets", "link", "catalog.accountlink"),
            ("Second factors", "security", "mfa.authenticator"),
        ),
    ),
    (
        "System",
        (
            ("Jobs", "work_history", "catalog.processingjob"),
            ("Job attempts", "history", "catalog.jobattempt"),
            ("Worker probes", "monitor_heart", "catalog.probe"),
            ("Retention", "auto_delete", "catalog.retentionpass"),
            ("Removed files", "delete", "catalog.removedfile"),
            ("Configuration", "settings", "catalog.systemconfig"),
            ("Audit log", "policy", "catalog.auditlog"),
            ("Seals of the audit log", "link", "catalog.auditseal"),
        ),
    ),
)
_FEW = 8
# Further than this a week's growth foretells nothing.
_FORESEEN_DAYS = 365


def icon(_request: HttpRequest) -> str:
    """Return where the picture lies that browsers show beside the title."""
    return static("icon.svg")


def themes(_request: HttpRequest) -> str:
    """Return where the colours of all pages lie."""
    return static("css/themes.css")


def stylesheet(_request: HttpRequest) -> str:
    """Return where our additions to the theme lie."""
    return static("css/admin.css")


def script(_request: HttpRequest) -> str:
    """Return where our script lies: the chosen look, whole values behind clipped ones, names where there are none."""
    return static("js/admin.js")


def sidebar(request: HttpRequest) -> list[dict[str, object]]:
    """Return the groups of pages that this person may open."""
    return [
        {"title": title, "separator": title != _GROUPS[0][0], "items": items}
        for title, entries in _GROUPS
        if (items := [_item(*entry) for entry in entries if _may_view(request, entry[2])])
    ]


def title_of(address: str) -> str:
    """Return what the menu calls the list at an address; empty where it names none there."""
    return _titles().get(address, "")


@cache
def _titles() -> dict[str, str]:
    return {_list_of(label): title for _, entries in _GROUPS for title, _, label in entries}


def _item(title: str, icon: str, label: str) -> dict[str, object]:
    return {"title": title, "icon": icon, "link": _list_of(label)}


def _list_of(label: str) -> str:
    return reverse(f"admin:{label.replace('.', '_')}_changelist")


def _may_view(request: HttpRequest, label: str) -> bool:
    app, model = label.split(".")
    return any(request.user.has_perm(f"{app}.{action}_{model}") for action in ("view", "change"))


def dashboard(request: HttpRequest, context: dict[str, object]) -> dict[str, object]:
    """Add what an administrator looks for first: work and its failures, the newest night, the latest changes."""
    if _may_view(request, "catalog.processingjob"):
        context |= {
            "jobs": _jobs(request.user),
            "failures": _failures(request.user),
            "health": health(),
            "disk": _disk(),
            "backup": _backup(),
        }
    if _may_view(request, "catalog.jobattempt"):
        context["processes"] = processes(request.user)
    if _may_view(request, "observations.observation"):
        context["night"] = _newest_night(request.user)
    if _may_view(request, "catalog.systemconfig"):
        context["changed_keys"] = SystemConfig.objects.filter(is_active=True)[:_FEW]
    if _may_view(request, "catalog.auditlog"):
        context["changes"] = AuditLog.objects.exclude(user="")[:_FEW]
    return context


def _jobs(user: Visitor) -> list[dict[str, object]]:
    states = (JobStatus.RUNNING, JobStatus.PENDING, JobStatus.FAILED)
    return [
        {
            "title": state.label,
            "count": counted(count_bounded(ProcessingJob.objects.visible_to(user).filter(status=state))),
            "link": f"{_list_of('catalog.processingjob')}?status__exact={state.value}",
        }
        for state in states
    ]


def _failures(user: Visitor) -> QuerySet[ProcessingJob]:
    rows: QuerySet[ProcessingJob] = ProcessingJob.objects.visible_to(user)
    return rows.filter(status=JobStatus.FAILED).order_by("-created_at")[:_FEW]


def _newest_night(user: Visitor) -> dict[str, object]:
    night = newest_night(Observation.objects.with_frame().visible_to(user))
    if night.date is None:
        return {}
    link = f"{_list_of('observations.observation')}?night_from={night.date}&night_to={night.date}"
    states = [
        {"status": status, "count": count, "link": f"{link}&status__exact={status}"} for status, count in night.frames
    ]
    return {"date": night.date, "states": states, "frames_per_hour": night.frames_per_hour}


def _disk() -> dict[str, object]:
    """Return how full the data root's disk is, how fast that grows and when it is full; less where less is known."""
    use = disk_use()
    if use is None:
        return {}
    growth = disk.growth(timezone.now())
    left = None if growth is None else growth.days_left(use)
    return {
        "used_gb": use.used_bytes / 1e9,
        "free_gb": use.free_gb,
        "used_percent": 100.0 * use.used_share,
        "growth": growth,
        "gb_per_day": None if growth is None else growth.bytes_per_day / 1e9,
        "days_left": left,
        "full_on": None if left is None or left > _FORESEEN_DAYS else timezone.now() + dt.timedelta(days=left),
    }


def _backup() -> dict[str, object]:
    """Return the newest backup, None where none is known, and the warning that it is old, "" where nobody asked."""
    found = known.newest()
    return {"newest": found, "warning": known.warning(found)}
