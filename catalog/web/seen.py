"""Notes in which browsers people are logged in, and when they were last seen there."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from catalog.people import logins
from catalog.people.actors import actor_of
from catalog.people.sessions import SessionStore


class Seen:
    """Stands around the session's own middleware: it notes what has been saved by then, and seldom."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        session = request.session
        if isinstance(session, SessionStore) and session.accessed and session.session_key and SESSION_KEY in session:
            before = session.seen_at
            if before is None or timezone.now() - before >= logins.NOTED_AFTER:
                logins.note(session.session_key, actor_of(request))
        return response
