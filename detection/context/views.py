"""A detection's surroundings: its wide pictures, what opens over triage, and the finding chart."""

from __future__ import annotations

from dataclasses import asdict
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from catalog.web.access import requires
from detection.context import chart, wide
from detection.context import over_frame as over
from detection.context.around import around_of
from detection.context.surroundings import context_of
from detection.cutouts.overlay import turn_of
from detection.models import Detection
from differencing.models import DifferenceRun

_RELATED = ("observation__telescope", "candidate__difference_run")


@requires("detection.view_detection")
@require_safe
@vary_on_headers("HX-Request")
def context(request: HttpRequest, detection_id: UUID) -> HttpResponse:
    """Show what is known around one detection: a page, or the part of it that opens over another page."""
    row = _found(request, detection_id)
    known = context_of(row)
    shown = {"detection": row, "context": known, "around": around_of(row, known)}
    if request.headers.get("HX-Request"):
        return render(request, "detection/_surroundings.html", shown)
    return render(request, "detection/surroundings.html", shown)


@requires("detection.view_detection")
@require_safe
def picture(request: HttpRequest, detection_id: UUID, kind: str) -> HttpResponse:
    """Answer with three arcminutes about a detection as a PNG, of its frame or of the reference."""
    row = _found(request, detection_id)
    version = wide.version_of(row)
    if version is None or kind not in wide.KINDS:
        raise Http404("There is no such picture.")
    # A repeated subtraction writes others under the same name: kept for a while, then asked for again.
    headers = {"ETag": quote_etag(f"{kind}-{version}"), "Cache-Control": "private, max-age=300"}
    answer = get_conditional_response(request, etag=headers["ETag"])
    if answer is None:
        content = wide.picture(row, kind, turn_of(row), version)
        if content is None:
            raise Http404("The images of the subtraction cannot be read.")
        answer = HttpResponse(content, content_type="image/png")
    for name, value in headers.items():
        answer.headers[name] = value
    return answer


@requires("detection.view_detection")
@require_safe
def finding_chart(request: HttpRequest, detection_id: UUID, form: str) -> HttpResponse:
    """Answer with the finding chart as PNG or PDF."""
    row = _found(request, detection_id)
    content = chart.chart_of(row, form) if form in chart.FORMATS else None
    if content is None:
        raise Http404(wide.why_not(row) or "There is no such chart.")
    name = chart.file_name(row, form)
    disposition = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "private, no-cache"}
    return HttpResponse(content, content_type=chart.FORMATS[form], headers=disposition)


@requires("detection.view_detection", "differencing.view_differencerun")
@require_safe
def over_frame(request: HttpRequest, run_id: UUID) -> JsonResponse:
    """Send what is known in the whole of a frame, for the page that shows its images."""
    rows = DifferenceRun.objects.visible_to(request.user).select_related("observation")
    found = over.over_frame(get_object_or_404(rows, pk=run_id), request.user)
    return JsonResponse({"objects": [asdict(one) for one in found]}, headers={"Cache-Control": "private, no-cache"})


def _found(request: HttpRequest, detection_id: UUID) -> Detection:
    rows = Detection.with_injected.visible_to(request.user).select_related(*_RELATED)
    return get_object_or_404(rows, pk=detection_id)
