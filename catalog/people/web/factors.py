"""One's own second factor: to set up, remove or renew anything of it asks for the password again."""

from __future__ import annotations

import time

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from catalog.models import User
from catalog.people import factors, security_keys
from catalog.people.actors import actor_of
from catalog.web.access import requires
from catalog.web.log_in import confirms

# A secret that is shown waits so long for its first code.
_SET_UP_SECONDS = 900.0
_SET_UP, _ADD_KEY = "set_up_app", "set_up_key"
_WRONG = "This is not your password."


@sensitive_post_parameters()
@requires()
@require_POST
def begin_key(request: HttpRequest) -> HttpResponse:
    """Begin with a security key: who knows the password may add one."""
    if not confirms(request, _me(request), request.POST.get("password", "")):
        messages.error(request, _WRONG)
        return redirect("catalog:profile")
    request.session[_ADD_KEY] = time.time()
    return redirect("catalog:set_up_key")


@requires()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def set_up_key(request: HttpRequest) -> HttpResponse:
    """Ask a security key, and take it from now on."""
    account, begun = _me(request), request.session.get(_ADD_KEY)
    if begun is None or time.time() - begun > _SET_UP_SECONDS:
        messages.error(request, "Begin with your password.")
        return redirect("catalog:profile")
    error, name = "", request.POST.get("name", "")
    if request.method == "POST":
        try:
            codes = security_keys.add(account, name, request.POST.get("credential", ""), actor_of(request))
        except factors.FactorRefused as refusal:
            error = str(refusal)
        else:
            del request.session[_ADD_KEY]
            return _show_codes(request, codes)
    context = {"error": error, "name": name, "options": security_keys.options_to_add(account)}
    return render(request, "catalog/set_up_key.html", context, status=400 if error else 200)


@sensitive_post_parameters()
@requires()
@require_POST
def begin_app(request: HttpRequest) -> HttpResponse:
    """Begin with an authenticator app: who knows the password is shown a secret."""
    if not confirms(request, _me(request), request.POST.get("password", "")):
        messages.error(request, _WRONG)
        return redirect("catalog:profile")
    request.session[_SET_UP] = {"secret": factors.new_secret(), "at": time.time()}
    return redirect("catalog:set_up_app")


@sensitive_post_parameters()
@requires()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def set_up_app(request: HttpRequest) -> HttpResponse:
    """Show the secret to an app, and turn it on with the first code."""
    account, begun = _me(request), request.session.get(_SET_UP)
    if begun is None or time.time() - begun["at"] > _SET_UP_SECONDS:
        messages.error(request, "Begin with your password.")
        return redirect("catalog:profile")
    error = ""
    if request.method == "POST":
        try:
            codes = factors.add_app(account, begun["secret"], request.POST.get("code", ""), actor_of(request))
        except factors.FactorRefused as refusal:
            error = str(refusal)
        else:
            del request.session[_SET_UP]
            return _show_codes(request, codes)
    context = {"error": error, "secret": begun["secret"], "picture": factors.picture_of(account, begun["secret"])}
    return render(request, "catalog/set_up_app.html", context, status=400 if error else 200)


@sensitive_post_parameters()
@requires()
@require_POST
def remove_own_factor(request: HttpRequest, key: int) -> HttpResponse:
    """Remove one of one's own second factors."""
    account = _me(request)
    rows = [row for row in factors.of(account) if row.pk == key]
    if not rows:
        raise Http404
    if not confirms(request, account, request.POST.get("password", "")):
        messages.error(request, _WRONG)
    else:
        factors.remove(account, rows, actor_of(request))
        messages.success(request, "The second factor has been removed.")
    return redirect("catalog:profile")


@sensitive_post_parameters()
@requires()
@require_POST
@never_cache
def renew_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes and show them, this once: in this answer, and nowhere else."""
    account = _me(request)
    if not confirms(request, account, request.POST.get("password", "")):
        messages.error(request, _WRONG)
        return redirect("catalog:profile")
    try:
        codes = factors.renew_recovery_codes(account, actor_of(request))
    except factors.FactorRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("catalog:profile")
    return _show_codes(request, codes, is_new=False)


def _show_codes(request: HttpRequest, codes: list[str], *, is_new: bool = True) -> HttpResponse:
    if not codes:
        messages.success(request, "The second factor is on. Your recovery codes stay as they are.")
        return redirect("catalog:profile")
    context = {"codes": codes, "next": reverse("catalog:profile"), "is_new": is_new}
    return render(request, "catalog/recovery_codes.html", context)


def _me(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404
    return request.user
