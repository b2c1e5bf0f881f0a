"""The way through the pages, as far as a person may go, and the look that they chose."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse

# Name, address, and the permission to open it.
_PAGES = (
    ("Tonight", "home", "observations.view_observation"),
    ("Triage", "curation:triage", "curation.add_validationevent"),
    ("Detections", "curation:detections", "detection.view_detection"),
    ("Sources", "curation:sources", "detection.view_source"),
    ("Alerts", "curation:alerts", "curation.view_alert"),
    ("Reports", "curation:reports", "curation.add_report"),
    ("Follow-up", "curation:tonight", "detection.view_detection"),
    ("Statistics", "curation:statistics", "curation.view_validationevent"),
    ("Observations", "observations:observations", "observations.view_observation"),
    ("Jobs", "catalog:jobs", "catalog.view_processingjob"),
    ("Models", "detection:models", "detection.view_model"),
    ("People", "catalog:people", "catalog.change_user"),
    ("Audit log", "catalog:audit", "catalog.view_auditlog"),
)
THEMES = ("dark", "light", "night")


def navigation(request: HttpRequest) -> dict[str, object]:
    """Return what every page of the site shows: `pages` and `theme`."""
    match = request.resolver_match
    # What is refused before anybody is known, such as an address of another host, has no person.
    user = getattr(request, "user", None)
    here = match.view_name if match else ""
    pages = [
        {"title": title, "url": reverse(name), "is_here": name == here}
        for title, name, permission in _PAGES
        if user is not None and user.has_perm(permission)
    ]
    return {"pages": pages, "theme": theme_of(request), "themes": THEMES}


def theme_of(request: HttpRequest) -> str:
    """Return the look that the person chose, dark for whoever has chosen none."""
    theme = request.COOKIES.get("theme", "")
    return theme if theme in THEMES else "dark"
