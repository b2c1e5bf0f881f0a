"""Pages of frames."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.web.access import requires


@requires("observations.view_observation")
def observations(request: HttpRequest) -> HttpResponse:
    """Show the page."""
    return render(request, "observations/observations.html", {})
