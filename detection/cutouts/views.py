"""A detection's cutouts: as pictures, and as the pixels that browsers draw from."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import parse_etags, quote_etag
from django.views.decorators.http import require_safe

from catalog.files import storage
from catalog.web.access import requires
from detection.cutouts import epochs, pictures
from detection.models import Detection

_TEXT = "text/plain; charset=utf-8"


@requires("detection.view_detection")
@require_safe
def pixels(request: HttpRequest, detection_id: UUID) -> HttpResponse:
    """Send (4, 63, 63) float32 as a numpy file, for programs: science, reference, difference, mask.

    An address that names the version that is stored may be kept for ever, one without it is asked about each time.
    """
    detection = get_object_or_404(Detection.with_injected.visible_to(request.user), pk=detection_id)
    version = pictures.version_of(detection.cutouts_path)
    if version is None:
        return HttpResponse(epochs.GONE, status=404, content_type=_TEXT)

    def content() -> bytes:
        return storage.open_stored(detection.cutouts_path).read_bytes()

    return _cached(request, version, content, is_named=request.GET.get("version") == version)


@requires("detection.view_detection")
@require_safe
def epoch_pixels(request: HttpRequest) -> HttpResponse:
    """Send the pixels of an object's epochs, packed for pages: `epochs` names them, the leading one first.

    It may be kept for ever where the address names the version that is stored of each.
    """
    try:
        asked = epochs.asked_for(request.GET.get("epochs", ""))
    except epochs.EpochsRefused as refusal:
        return HttpResponse(str(refusal), status=400, content_type=_TEXT)
    rows = Detection.with_injected.visible_to(request.user).filter(pk__in=asked)
    found = epochs.epochs_of(asked, {row.pk: row for row in epochs.with_images(rows)})
    if found[0].detection is None:
        raise Http404("There is no such detection.")
    is_gzip = "gzip" in request.headers.get("Accept-Encoding", "")

    def content() -> bytes:
        body = epochs.body_of(found)
        return epochs.compressed(body) if is_gzip else body

    tag = f"{epochs.tag_of(found)}{'-gzip' if is_gzip else ''}"
    is_named = all(epoch.version and asked[epoch.key] == epoch.version for epoch in found)
    answer = _cached(request, tag, content, is_named=is_named)
    if is_gzip and answer.status_code == HTTPStatus.OK:
        answer["Content-Encoding"] = "gzip"
    patch_vary_headers(answer, ["Accept-Encoding"])
    return answer


def _cached(request: HttpRequest, tag: str, content: Callable[[], bytes], *, is_named: bool) -> HttpResponse:
    """Answer with bytes that change with their tag; for ever where the address names what is stored."""
    etag = quote_etag(tag)
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        answer: HttpResponse = HttpResponseNotModified()
    else:
        answer = HttpResponse(content(), content_type="application/octet-stream")
    answer["ETag"] = etag
    answer["Cache-Control"] = "private, max-age=31536000, immutable" if is_named else "private, no-cache"
    return answer


@requires("detection.view_detection")
def cutouts_picture(request: HttpRequest, detection_id: UUID) -> HttpResponse:
    """Answer with the cutouts of a detection as a PNG: small for lists, one of them large by `part`, or all."""
    row = get_object_or_404(Detection.with_injected.visible_to(request.user).only("cutouts_path"), pk=detection_id)
    return picture_of(request, row.cutouts_path, part=request.GET.get("part", ""), is_small="small" in request.GET)


def picture_of(request: HttpRequest, path: str, *, part: str = "", is_small: bool = False) -> HttpResponse:
    """Answer with stored cutouts as a PNG."""
    version = pictures.version_of(path)
    if version is None or (part and part not in pictures.PARTS):
        raise Http404("There are no such cutouts.")
    # A repeated run may write others under the same name: kept for a while, then asked for again.
    headers = {"ETag": quote_etag(version), "Cache-Control": "private, max-age=300"}
    answer = get_conditional_response(request, etag=headers["ETag"])
    if answer is None:
        content = pictures.part(path, part) if part else pictures.picture(path, is_small=is_small)
        if content is None:
            raise Http404("These cutouts cannot be read.")
        answer = HttpResponse(content, content_type="image/png")
    for name, value in headers.items():
        answer.headers[name] = value
    return answer
