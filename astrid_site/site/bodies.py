"""How large a request may be, decided by what it says of itself before any of it is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpResponse

from catalog.web.rest.problems import PREFIX, problem

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_MEGABYTE = 1_000_000
# The borders between the parts of a form, and its other fields.
_FORM_BYTES = 1_000_000


def bounded(app: App) -> App:
    """Refuse a body that is too large, or that does not say how large it is; all else goes to `app`."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await app(scope, receive, send)
        else:
            await answer(send, refusal)

    return serve


async def answer(send: Send, response: HttpResponse) -> None:
    """Send an answer that was made here."""
    headers = [(name.lower().encode(), value.encode()) for name, value in response.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})


def _refusal(scope: Scope) -> HttpResponse | None:
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return _as_problem(scope, 411, "length_required", "State the size of the request in Content-Length.")
    length = headers.get(b"content-length", b"0")
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if headers.get(b"content-type", b"").lower().startswith(b"multipart/form-data"):
        most = settings.ASTRID_MAX_UPLOAD_MB * _MEGABYTE + _FORM_BYTES
    if length.isdigit() and int(length) > most:
        return _as_problem(scope, 413, "too_large", f"A request of this kind may have at most {most} bytes.")
    return None


def _as_problem(scope: Scope, status: int, code: str, sentence: str) -> HttpResponse:
    if scope["path"].startswith(PREFIX):
        return problem(status, code, sentence)
    return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
