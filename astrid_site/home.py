"""Tonight at a glance."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.web.access import requires


@requires("observations.view_observation")
def home(request: HttpRequest) -> HttpResponse:
    """Show tonight."""
    return render(request, "home.html", {})
