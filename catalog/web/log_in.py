"""The one log-in, and the way out: each that succeeds or fails leaves its line in the AuditLog."""

from __future__ import annotations

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse

from catalog.models import User
from catalog.people import locks
from catalog.people.actors import actor_of


class LogIn(LoginView):
    """Django's, for people who are logged in already too: they may have come for a page that another may open."""

    redirect_authenticated_user = False

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        account = form.get_user()
        if isinstance(account, User):
            locks.note_log_in(account, actor_of(self.request))
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        # None is counted while the log-in is shut, or where a field was left empty.
        if getattr(self.request, "axes_failures_since_start", None) is not None:
            locks.note_failure(form.cleaned_data.get("username", ""), actor_of(self.request))
        return super().form_invalid(form)


class LogOut(LogoutView):
    """Django's; whoever is not logged in leaves no line."""

    def post(self, request: HttpRequest, *args: object, **more: object) -> HttpResponse:
        locks.note_log_out(actor_of(request))
        return super().post(request, *args, **more)
