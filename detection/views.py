"""Pages of detections, sources and models."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from catalog.web.access import requires


@requires("detection.view_detection")
def detections(request: HttpRequest) -> HttpResponse:
    """Show the page."""
    return render(request, "detection/detections.html", {})


@requires("detection.view_source")
def sources(request: HttpRequest) -> HttpResponse:
    """Show the page."""
    return render(request, "detection/sources.html", {})


@requires("detection.view_model")
def models(request: HttpRequest) -> HttpResponse:
    """Show the page."""
    return render(request, "detection/models.html", {})
