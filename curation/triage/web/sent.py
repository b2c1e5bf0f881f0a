"""What the script of triage sends: read and checked, and answered with a sentence where it is not taken."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django import forms
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST

from catalog.configuration.values import one_snapshot
from catalog.models import User
from catalog.roles import MAY_JUDGE
from catalog.web.access import requires
from curation.triage.forms import AnswerForm
from curation.triage.queue import Holder

View = Callable[[HttpRequest], JsonResponse]


class Refused(Exception):
    """What was sent is not taken: the state of HTTP, a code, a sentence, and what programs may want to know."""


def answering(view: View) -> Callable[..., HttpResponseBase]:
    """Turn what is refused into an answer that the script can show."""

    @wraps(view)
    def answering(request: HttpRequest) -> JsonResponse:
        try:
            with one_snapshot():
                return view(request)
        except Refused as refusal:
            status, code, detail, *more = refusal.args
            return JsonResponse({"code": code, "detail": detail, **dict(*more)}, status=status)

    return requires(MAY_JUDGE)(require_POST(answering))


def holder_of(request: HttpRequest, sent: dict[str, Any]) -> Holder:
    """Return who has sent it, from which window."""
    return Holder(cast(User, request.user), sent["window"], sent["by_detection"])


def read(request: HttpRequest, form_class: type[forms.Form]) -> dict[str, Any]:
    """Return what was sent, as JSON or as a form, checked; 409 where the page was made for another person."""
    try:
        given = request.POST if request.content_type != "application/json" else json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "unreadable", "This is not JSON.") from error
    if not isinstance(given, dict):
        raise Refused(400, "unreadable", "This must be one JSON object.")
    form = form_class(given)
    if not form.is_valid():
        fields = {name: " ".join(map(str, texts)) for name, texts in form.errors.items()}
        if isinstance(form, AnswerForm):
            raise Refused(422, "invalid", form.refusal, {"fields": fields})
        raise Refused(400, "invalid", " ".join(f"{name}: {text}" for name, text in fields.items()))
    if form.cleaned_data["person"] != request.user.pk:
        raise Refused(409, "other_person", f"You are logged in as {request.user.get_username()} now.")
    return form.cleaned_data
