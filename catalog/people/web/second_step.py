"""The second step of a log-in: a code after the password; or, where the role needs one, a second factor is set up."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from catalog.models import User
from catalog.people import factors, security_keys
from catalog.people.actors import Actor, actor_of
from catalog.web.log_in import count_failure, is_shut, let_in, who_waits

_SECRET = "second_step_secret"  # noqa: S105 - the name of a place
_TOO_LATE = "The log-in was not finished within ten minutes: begin again."


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """Ask for a code, and log in who gives a right one."""
    account = who_waits(request)
    if account is None:
        if request.method == "POST":
            messages.error(request, _TOO_LATE)
        return redirect("home" if request.user.is_authenticated else "login")
    # Where it is shut, the answer of this request is replaced by the one that says so.
    is_refused = request.method == "POST" and is_shut(request, account)
    if not factors.has(account):
        return _set_up(request, account, is_refused=is_refused)
    if request.method != "POST" or is_refused:
        return _ask(request, account)
    if "credential" in request.POST:
        if not security_keys.check(account, request.POST["credential"]):
            count_failure(request, account)
            return _ask(request, account, "The key did not answer as it should: try again.")
        return redirect(let_in(request, account))
    kind = factors.check(account, request.POST.get("code", ""))
    if not kind:
        count_failure(request, account)
        return _ask(request, account, "This code is wrong, or has been used. Wait for the next one.")
    if kind == factors.Kind.RECOVERY_CODES:
        left = factors.recovery_codes_left(account)
        messages.warning(request, f"You have used a recovery code. {left} are left; new ones are made in your account.")
    return redirect(let_in(request, account))


def _ask(request: HttpRequest, account: User, error: str = "") -> HttpResponse:
    kinds = {row.type for row in factors.of(account)}
    has_key = factors.Kind.WEBAUTHN in kinds
    context = {
        "error": error,
        "has_app": factors.Kind.TOTP in kinds,
        "has_key": has_key,
        "options": security_keys.options_to_check(account) if has_key else None,
    }
    return render(request, "registration/second_step.html", context)


def _set_up(request: HttpRequest, account: User, *, is_refused: bool) -> HttpResponse:
    """Their role needs a second factor and they have none: they log in by setting one up."""
    if not factors.is_asked_of(account):
        return redirect("login")  # Neither any more: the password alone is enough, at the log-in.
    secret = request.session.get(_SECRET)
    if secret is None:
        secret = request.session[_SECRET] = factors.new_secret()
    error = ""
    if request.method == "POST" and not is_refused:
        actor = Actor(account, actor_of(request).ip_address, actor_of(request).user_agent)
        try:
            codes = factors.add_app(account, secret, request.POST.get("code", ""), actor)
        except factors.FactorRefused as refusal:
            error = str(refusal)
        else:
            request.session.pop(_SECRET)
            address = let_in(request, account)
            return render(request, "catalog/recovery_codes.html", {"codes": codes, "next": address, "is_new": True})
    context = {"error": error, "secret": secret, "picture": factors.picture_of(account, secret), "is_asked": True}
    return render(request, "catalog/set_up_app.html", context)
