"""Errors as clients read them: `application/problem+json` (RFC 9457), each with a code that stays."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from http import HTTPStatus

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpResponse
from rest_framework import exceptions

from catalog.web.filters import NOT_FOUND

PREFIX = "/api/v1/"
CONTENT_TYPE = "application/problem+json"
# Of errors about a whole request, not about one of its fields.
_WHOLE = "request"

_UNKNOWN_CLIENT = "Who asks is not known. Show a token: Authorization: Bearer astrid_… Or log in with a browser."

Errors = dict[str, list[str]]


class Problem(exceptions.APIException):
    """A refusal with a status and a code of its own."""

    def __init__(
        self, status: int, code: str, detail: str, errors: Errors | None = None, *, wait: float | None = None
    ) -> None:
        super().__init__(detail, code)
        self.status_code, self.errors, self.wait = status, errors, wait


def problem(status: int, code: str, detail: str, errors: Errors | None = None) -> HttpResponse:
    """Return an error as an answer."""
    document: dict[str, object] = {
        "type": f"urn:astrid:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        document["errors"] = errors
    # Escaped: what was sent may hold halves of characters, and is told again.
    return HttpResponse(json.dumps(document), status=status, content_type=CONTENT_TYPE)


def sentence_of(answer: HttpResponse) -> str:
    """Return what a problem document says to people."""
    return str(json.loads(answer.content)["detail"])


def handle(error: Exception, _context: Mapping[str, object]) -> HttpResponse | None:
    """Answer what a view raised; None for a fault of the program, which the site's handler answers."""
    known = _as_known(error)
    if known is None:
        return None
    response = _answer(known)
    if challenge := getattr(known, "auth_header", None):
        response["WWW-Authenticate"] = challenge
    if wait := getattr(known, "wait", None):
        response["Retry-After"] = str(math.ceil(wait))
    return response


def _as_known(error: Exception) -> exceptions.APIException | None:
    if isinstance(error, exceptions.APIException):
        return error
    if isinstance(error, Http404):
        return exceptions.NotFound("There is nothing at this address, or you are not allowed to see it.")
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, RequestDataTooBig):
        return Problem(413, "too_large", "The request is too large.")
    if isinstance(error, SuspiciousOperation | BadRequest):
        return exceptions.ParseError("The request could not be read.")
    return None


def _answer(error: exceptions.APIException) -> HttpResponse:
    if isinstance(error, Problem):
        return problem(error.status_code, _code(error), str(error.detail), error.errors)
    if isinstance(error, exceptions.ValidationError):
        errors: Errors = {}
        codes = set()
        for name, sentence in _sentences(error.detail, ""):
            errors.setdefault(name or _WHOLE, []).append(str(sentence))
            codes.add(getattr(sentence, "code", None))
        detail = " ".join(f"{name}: {' '.join(sentences)}" for name, sentences in errors.items())
        status, code = (404, NOT_FOUND) if codes == {NOT_FOUND} else (400, "invalid")
        return problem(status, code, detail, errors)
    detail = _UNKNOWN_CLIENT if isinstance(error, exceptions.NotAuthenticated) else str(error.detail)
    return problem(error.status_code, _code(error), detail)


def _code(error: exceptions.APIException) -> str:
    return str(getattr(error.detail, "code", None) or error.default_code)


def _sentences(detail: object, name: str) -> Iterator[tuple[str, object]]:
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            yield from _sentences(value, ".".join(part for part in (name, _name(key)) if part))
    elif isinstance(detail, list):
        for value in detail:
            yield from _sentences(value, name)
    else:
        yield name, detail


def _name(key: object) -> str:
    return "" if key in ("non_field_errors", "__all__") else str(key)
