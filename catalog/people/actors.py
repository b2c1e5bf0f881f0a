"""Who acts in a request, for the AuditLog."""

from __future__ import annotations

from django.http import HttpRequest

from catalog.models import User
from catalog.people.audit import Actor

__all__ = ["Actor", "actor_of"]


def actor_of(request: HttpRequest) -> Actor:
    """Return who sent a request, and from where."""
    user = request.user if isinstance(request.user, User) else None
    return Actor(user, request.META.get("REMOTE_ADDR") or None, request.headers.get("User-Agent", ""))
