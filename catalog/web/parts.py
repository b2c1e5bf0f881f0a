"""Parts of pages that htmx asks for: who opens the address of one by itself gets a page about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


@dataclass(frozen=True)
class Place:
    """What a part is called, and which page shows it; some are items of a list there."""

    title: str
    page: str
    address: str
    is_of_list: bool = False


def render_part(request: HttpRequest, template: str, context: Mapping[str, object], place: Place) -> HttpResponse:
    """Answer with a part of a page, or with a page of its own."""
    if request.headers.get("HX-Request"):
        answer = render(request, template, dict(context))
    else:
        answer = render(request, "catalog/part.html", {**context, "part": template, "place": place})
    patch_vary_headers(answer, ["HX-Request"])
    return answer
