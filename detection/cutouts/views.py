"""A detection's cutouts: as pictures, and as the pixels that browsers draw from."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.http import parse_etags, quote_etag
from django.views.decorators.http import require_safe

from catalog.files import storage
from catalog.web.access import requires
from detection.cutouts import pictures
from detection.models import Detection

_GONE = "The cutouts of this detection are no longer stored: run detection on its frame again to restore them."


@requires("detection.view_detection")
@require_safe
def pixels(request: HttpRequest, detection_id: UUID) -> HttpResponse:
    """Send (4, 63, 63) float32 as a numpy file: science, reference, difference, mask.

    An address that names the version that is stored may be kept for ever, one without it is asked about each time.
    """
    detection = get_object_or_404(Detection.objects.visible_to(request.user), pk=detection_id)
    version = pictures.version_of(detection.cutouts_path)
    if version is None:
        return HttpResponse(_GONE, status=404, content_type="text/plain; charset=utf-8")
    etag = f'"{version}"'
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        answer: HttpResponse = HttpResponseNotModified()
    else:
        content = storage.open_stored(detection.cutouts_path).read_bytes()
        answer = HttpResponse(content, content_type="application/octet-stream")
    is_named = request.GET.get("version") == version
    answer["ETag"] = etag
    answer["Cache-Control"] = "private, max-age=31536000, immutable" if is_named else "private, no-cache"
    return answer


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
