"""Pages on which operators upload frames and see what became of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from catalog.configuration.values import snapshot
from catalog.failures import StageFailure
from catalog.files.addresses import AddressRefused
from catalog.files.storage import StorageFull, StorageUnreachable
from catalog.ids import uuid7
from catalog.people.actors import actor_of
from catalog.web.access import requires
from catalog.web.parts import Place, render_part
from catalog.work.pause import IngestPaused, pauses
from observations.claims.inspecting import inspect_beginning
from observations.delivery.forms import ExtrasForm, UploadForm
from observations.delivery.incoming import submit_upload, submit_url
from observations.delivery.progress import progress_of
from observations.delivery.rows import is_local_hidden
from observations.models import IncomingFile, Survey

MAY_UPLOAD = "observations.add_observation"
_LATEST = 20
# Headers of stacks that list all their members reach a megabyte; what is longer is examined when it is uploaded.
MOST_BEGINNING = 2**20


@requires(MAY_UPLOAD)
def upload(request: HttpRequest) -> HttpResponse:
    """Take files or an address; the page's script sends files one by one and shows how far each has come."""
    is_sent = request.method == "POST"
    form = UploadForm(
        request.POST if is_sent else None,
        request.FILES if is_sent else None,
        initial={"key": str(uuid7())},
        surveys=Survey.objects.visible_to(request.user).filter(is_active=True),
        is_local_hidden=is_local_hidden(request.user),
    )
    is_script = request.headers.get("X-Requested-With") == "fetch"
    if is_sent and form.is_valid():
        rows, refusals = _handed_in(form.cleaned_data, request)
        if is_script:
            pages = [reverse("observations:delivery", args=[row.pk]) for row in rows]
            return JsonResponse({"deliveries": pages, "refusals": refusals}, status=422 if refusals else 202)
        for refusal in refusals:
            messages.error(request, refusal)
        if rows:
            messages.success(request, "Uploaded. Progress is shown below.")
            return redirect("observations:upload")
    elif is_sent and is_script:
        reasons = [str(reason) for found in form.errors.values() for reason in found]
        return JsonResponse({"deliveries": [], "refusals": reasons}, status=422)
    latest = IncomingFile.objects.visible_to(request.user).order_by("-created_at", "-id")[:_LATEST]
    deliveries = progress_of(latest, request.user)
    most_mb = snapshot()["ingest.max_file_mb"]
    context = {"form": form, "deliveries": deliveries, "most_mb": most_mb, "most_beginning": MOST_BEGINNING}
    context["pauses"] = pauses()
    return render(request, "observations/upload.html", context)


@requires(MAY_UPLOAD)
@require_POST
def inspect(request: HttpRequest) -> HttpResponse:
    """Show what is understood of a file's header before it is uploaded, by its first bytes, as a part of the page."""
    beginning = request.FILES.get("beginning")
    form = ExtrasForm(request.POST)
    if beginning is None or beginning.size is None or beginning.size > MOST_BEGINNING or not form.is_valid():
        return HttpResponse(status=422)
    found = inspect_beginning(request.POST.get("name", ""), beginning.read(), form.cleaned_data["overrides"])
    return render(request, "observations/_inspected.html", {"found": found})


@requires(MAY_UPLOAD)
@require_safe
def delivery(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    """Show how far one file has come, as a part of the page."""
    row = get_object_or_404(IncomingFile.objects.visible_to(request.user), pk=delivery_id)
    place = Place("A file on its way in", "Upload", reverse("observations:upload"), is_of_list=True)
    return render_part(request, "observations/_delivery.html", {"one": progress_of([row], request.user)[0]}, place)


def _handed_in(given: dict[str, Any], request: HttpRequest) -> tuple[list[IncomingFile], list[str]]:
    """Return the rows of what was taken, and for each thing that was not the reason in words."""
    actor, rows, refusals = actor_of(request), [], []
    shared = {"actor": actor, "survey": given["survey"]}
    for number, file in enumerate(given["files"]):
        key = _key(given["key"], number)
        try:
            rows.append(submit_upload(file.chunks(), file.name, given["overrides"], key=key, **shared)[0])
        except StageFailure as refusal:
            refusals.append(f"{file.name}: {refusal.sentence}")
        except IngestPaused as refusal:
            refusals.append(f"{file.name}: {refusal}")
        except (StorageFull, StorageUnreachable) as refusal:
            refusals.append(f"{file.name}: {refusal} Nothing of it was kept: upload it again later.")
    if given["fits_url"]:
        try:
            key = _key(given["key"], "address")
            rows.append(submit_url(given["fits_url"], given["overrides"], key=key, **shared)[0])
        except AddressRefused as refusal:
            refusals.append(str(refusal))
    return rows, refusals


def _key(of_form: UUID | None, part: int | str) -> UUID | None:
    """Return the key of one thing in a form; the same form sent again has the same ones."""
    return uuid5(of_form, str(part)) if of_form else None
