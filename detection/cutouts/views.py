"""The pixels of a detection's cutouts, as they are stored: what browsers draw from."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404
from django.utils.http import parse_etags
from django.views.decorators.http import require_safe

from catalog.files import storage
from catalog.web.access import requires
from detection.cutouts.pictures import version_of
from detection.models import Detection

_GONE = "The cutouts of this detection are no longer stored: run detection on its frame again to restore them."


@requires("detection.view_detection")
@require_safe
def pixels(request: HttpRequest, detection_id: UUID) -> HttpResponse:
    """Send (4, 63, 63) float32 as a numpy file: science, reference, difference, mask.

    An address that names the version that is stored may be kept for ever, one without it is asked about each time.
    """
    detection = get_object_or_404(Detection.objects.visible_to(request.user), pk=detection_id)
    version = version_of(detection.cutouts_path)
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
