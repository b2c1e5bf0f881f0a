"""The site of the admin: the theme's, with what it leaves to us."""

from __future__ import annotations

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from unfold.sites import UnfoldAdminSite

from astrid_site.site.navigation import theme_of
from catalog.models import User
from catalog.people import audit, locks, logins
from catalog.people.actors import actor_of
from catalog.web.access import View
from curation.judgements import visibility


class Site(UnfoldAdminSite):
    """The theme's site, with the log-in and the looks of all other pages, and open to those whose role says so."""

    def each_context(self, request: HttpRequest) -> dict[str, object]:
        """Add the look that the person chose; the night is a dark one, made red by our style sheet."""
        return super().each_context(request) | {"theme": "light" if theme_of(request) == "light" else "dark"}

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Send strangers to the log-in of the site, and tell all others whose role does not open the admin so."""
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: object, **more: object) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not self.has_permission(request):
                raise PermissionDenied
            return inner(request, *args, **more)

        return guarded

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """There is one log-in, and it is not here."""
        return redirect("admin:index")

    def logout(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """Leave a line in the AuditLog, as the way out of all other pages does."""
        if request.method == "POST":
            locks.note_log_out(actor_of(request))
        return super().logout(request, extra_context)

    def has_permission(self, request: HttpRequest) -> bool:
        """Shut out those who judge blind: the admin shows what others said."""
        return super().has_permission(request) and visibility.may_open_admin(request.user)

    @transaction.atomic
    def password_change(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        response = super().password_change(request, extra_context)
        if isinstance(response, HttpResponseRedirect) and isinstance(request.user, User):
            audit.record(request.user, "change_password", actor=actor_of(request), summary="by its owner")
            logins.end_all(request.user, actor_of(request), but=request.session.session_key)
        return response
