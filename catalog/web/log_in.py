"""The one log-in, and the way out: each that succeeds or fails leaves its line in the AuditLog.

A password alone logs nobody in who has a second factor, or needs one: until the second step is done their session holds
who means to come in, and no account, so that no page opens.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth import authenticate, login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.signals import user_login_failed
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare

from catalog.models import User
from catalog.people import factors, locks
from catalog.people.actors import actor_of

# Who has given a right password has so long for the second step.
SECOND_STEP_SECONDS = 600.0
_WAITING = "second_step"
_BACKEND = "catalog.people.backend.Backend"


class LogIn(LoginView):
    """Django's, for people who are logged in already too: they may have come for a page that another may open."""

    redirect_authenticated_user = False

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        account = form.get_user()
        if isinstance(account, User) and (factors.has(account) or factors.is_asked_of(account)):
            _let_wait(self.request, account, self.get_success_url())
            return redirect("second_step")
        response = super().form_valid(form)
        if isinstance(account, User):
            locks.note_log_in(account, actor_of(self.request))
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        _note_failure(self.request, form.cleaned_data.get("username", ""))
        return super().form_invalid(form)


class LogOut(LogoutView):
    """Django's; whoever is not logged in leaves no line."""

    def post(self, request: HttpRequest, *args: object, **more: object) -> HttpResponse:
        locks.note_log_out(actor_of(request))
        return super().post(request, *args, **more)


def who_waits(request: HttpRequest) -> User | None:
    """Return who has given a right password here lately, and nothing else yet."""
    waiting = request.session.get(_WAITING)
    if not isinstance(waiting, Mapping) or time.time() - waiting["at"] > SECOND_STEP_SECONDS:
        return None
    account = User.objects.filter(pk=waiting["account"], is_active=True).first()
    if account is None or not constant_time_compare(waiting["hash"], account.get_session_auth_hash()):
        return None
    return account


def let_in(request: HttpRequest, account: User) -> str:
    """Log in who waited, in a session of another key; return the address that they came for."""
    address = str(request.session.pop(_WAITING)["next"])
    login(request, account, backend=_BACKEND)
    locks.note_log_in(account, actor_of(request))
    return address


def is_shut(request: HttpRequest, account: User) -> bool:
    """Tell whether the log-in is shut to a name here; the answer of this request is then the one that says so."""
    credentials = {"username": account.username}
    if AxesProxyHandler.is_allowed(request, credentials):
        return False
    request.axes_locked_out = True  # type: ignore[attr-defined]
    request.axes_credentials = credentials  # type: ignore[attr-defined]
    return True


def count_failure(request: HttpRequest, account: User) -> None:
    """Count a wrong second factor as a wrong password is counted."""
    credentials = {"username": account.username}
    user_login_failed.send(sender=__name__, credentials=credentials, request=request)
    _note_failure(request, account.username)


def confirms(request: HttpRequest, account: User, password: str) -> bool:
    """Tell whether who is logged in knows their password; a wrong one counts, and the fifth shuts."""
    if not password:
        return False
    if authenticate(request, username=account.username, password=password) == account:
        return True
    _note_failure(request, account.username)
    return False


def _let_wait(request: HttpRequest, account: User, address: str) -> None:
    # Another key than whoever brought them here may know, and nobody else's rights meanwhile.
    request.session.flush()
    request.session[_WAITING] = {
        "account": str(account.pk), "hash": account.get_session_auth_hash(), "at": time.time(), "next": address,
    }  # fmt: skip


def _note_failure(request: HttpRequest, name: str) -> None:
    # None is counted while the log-in is shut, or where a field was left empty.
    if getattr(request, "axes_failures_since_start", None) is not None:
        locks.note_failure(name, actor_of(request))
