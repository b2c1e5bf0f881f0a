"""Pages of triage."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.web.access import requires


@requires("curation.add_validationevent")
def triage(request: HttpRequest) -> HttpResponse:
    """Show the page."""
    return render(request, "curation/triage.html", {})
