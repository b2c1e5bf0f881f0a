"""Pages of detections and sources."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from catalog.web.access import requires
from catalog.web.lists import list_page
from detection.cutouts import pictures
from detection.models import Detection, Source
from detection.sources.filters import DetectionFilter, SourceFilter
from detection.sources.photometry import brightness_of
from differencing.models import Candidate
from observations.models import Field

# What a list shows of the rows beside its own: headers and footprints are long, and nobody reads them here.
_FRAME = ("original_name", "observation_id", "observation_time", "filter_band", "field_id")
_BESIDE = (
    Prefetch("candidate", Candidate.objects.only("flux", "flux_error", "snr")),
    Prefetch("source", Source.objects.only("name", "ra", "dec")),
    Prefetch("observation__field", Field.objects.only("name", "ra", "dec")),
)
# Names of fields that are offered while one types.
_OFFERED = 200


@requires("detection.view_detection")
def detections(request: HttpRequest) -> HttpResponse:
    """Show the detections, the newest or the best first."""
    rows = Detection.objects.visible_to(request.user)
    context = list_page(request, DetectionFilter, _listed(rows), DetectionFilter.ordering(request.GET))
    found = context["page"].rows
    brightness = brightness_of(found)
    for row in found:
        row.brightness = brightness[row.pk]
    context |= {"field_names": _field_names(request), "triage_query": DetectionFilter.triage_query(request.GET)}
    return render(request, "detection/detections.html", context)


@requires("detection.view_source")
def sources(request: HttpRequest) -> HttpResponse:
    """Show the sources, those seen last first."""
    rows = Source.objects.visible_to(request.user)
    context = list_page(request, SourceFilter, rows, ("-last_detected_at", "id"))
    found = context["page"].rows
    newest = _newest_of(found, request.user)
    for row in found:
        row.newest = newest.get(row.pk)
    return render(request, "detection/sources.html", context | {"field_names": _field_names(request)})


@requires("detection.view_detection")
def cutouts_picture(request: HttpRequest, detection_id: UUID) -> HttpResponse:
    """Answer with the cutouts of a detection as a PNG: small for lists, one of them large by `part`, or all."""
    row = get_object_or_404(Detection.objects.visible_to(request.user).only("cutouts_path"), pk=detection_id)
    part, is_small = request.GET.get("part", ""), "small" in request.GET
    version = pictures.version_of(row.cutouts_path)
    if version is None or (part and part not in pictures.PARTS):
        raise Http404("There are no such cutouts of this detection.")
    # A repeated run may write others under the same name: kept for a while, then asked for again.
    headers = {"ETag": quote_etag(version), "Cache-Control": "private, max-age=300"}
    answer = get_conditional_response(request, etag=headers["ETag"])
    if answer is None:
        path = row.cutouts_path
        content = pictures.part(path, part) if part else pictures.picture(path, is_small=is_small)
        if content is None:
            raise Http404("The cutouts of this detection cannot be read.")
        answer = HttpResponse(content, content_type="image/png")
    for name, value in headers.items():
        answer.headers[name] = value
    return answer


def _listed(rows: QuerySet[Detection]) -> QuerySet[Detection]:
    """Load what a list shows of each row, and nothing else; what stands beside it, of the rows of one page only."""
    own = [field.attname for field in Detection._meta.concrete_fields if field.name != "prediction_metadata"]
    frame = [f"observation__{name}" for name in _FRAME]
    return rows.select_related("observation").only(*own, *frame).prefetch_related(*_BESIDE)


def _newest_of(found: list[Source], user: Any) -> dict[UUID, Detection]:
    """Return the newest detection of each source, by the source's key."""
    newest = Detection.objects.filter(source=OuterRef("pk")).order_by("-created_at")
    of_each = Source.objects.filter(pk__in=[row.pk for row in found]).annotate(last=Subquery(newest.values("pk")[:1]))
    keys = [key for key in of_each.values_list("last", flat=True) if key is not None]
    rows = Detection.objects.visible_to(user).filter(pk__in=keys)
    shown = rows.only("source_id", "status", "confidence_score", "cutouts_path", "human_label", "detection_type")
    return {row.source_id: row for row in shown if row.source_id is not None}


def _field_names(request: HttpRequest) -> list[str]:
    names = Field.objects.visible_to(request.user).exclude(name="").order_by("name").values_list("name", flat=True)
    return [name for name in dict.fromkeys(names[:_OFFERED]) if name.isprintable()]


@requires("detection.view_detection")
@require_safe
def of_candidate(request: HttpRequest, candidate_id: UUID) -> HttpResponse:
    """Lead from a candidate to the detection that came of it."""
    row = Detection.objects.visible_to(request.user).filter(candidate=candidate_id).first()
    if row is None:
        return render(request, "detection/no_detection.html", {}, status=404)
    return redirect("curation:detection", row.pk)
