"""What is answered where no view answers: a page to people, a problem document to clients."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from catalog.web.rest.problems import PREFIX, problem


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what cannot be read."""
    if request.path.startswith(PREFIX):
        return problem(400, "parse_error", "The request could not be read.")
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer who may not."""
    if request.path.startswith(PREFIX):
        return problem(403, "permission_denied", "You are not allowed to do this.")
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that there is not."""
    if request.path.startswith(PREFIX):
        return problem(404, "not_found", "There is nothing at this address.")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer after a fault of the program, which the log has."""
    if request.path.startswith(PREFIX):
        return problem(500, "internal_error", "Internal error: see the log of the web server.")
    return defaults.server_error(request)
