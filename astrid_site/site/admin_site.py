"""The site of the admin: the theme's, with what it leaves to us."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.sites import UnfoldAdminSite

from catalog.models import User
from catalog.people import audit
from catalog.people.actors import actor_of
from curation.judgements import visibility


class Site(UnfoldAdminSite):
    """The theme's site; a change of one's own password leaves its line in the AuditLog too."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Shut out those who judge blind: the admin shows what others said."""
        return super().has_permission(request) and visibility.may_open_admin(request.user)

    @transaction.atomic
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().password_change(request, extra_context)
        if isinstance(response, HttpResponseRedirect) and isinstance(request.user, User):
            audit.record(request.user, "change_password", actor=actor_of(request), summary="by its owner")
        return response
