"""Pages of people: one's own account with its password and tokens, and what everybody did."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from catalog.admin.columns import changes_of
from catalog.models import ApiToken, AuditLog, User
from catalog.people import factors, logins, standing, tokens
from catalog.people.accounts import change_password as change_password_of
from catalog.people.actors import actor_of
from catalog.people.filters import AuditFilter
from catalog.people.forms import PasswordForm, TokenForm
from catalog.web.access import requires
from catalog.web.entities import link_entities
from catalog.web.lists import list_page

# Of tokens that open nothing any more, the newest are shown.
_MOST_TOKENS = 100
_NEWEST = ("-created_at", "-id")


@requires()
def profile(request: HttpRequest) -> HttpResponse:
    """Show one's own account."""
    return _page(request)


@sensitive_post_parameters()
@requires()
@require_POST
def change_password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; this browser stays logged in, others do not."""
    user = _user(request)
    form = PasswordForm(user, request.POST)
    if not form.is_valid():
        return _page(request, password_form=form, status=400)
    change_password_of(user, form.cleaned_data["new_password1"], actor_of(request))
    update_session_auth_hash(request, user)
    logins.end_all(user, actor_of(request), but=request.session.session_key)
    messages.success(
        request, "Your password has been changed. Other browsers have been logged out; tokens remain valid."
    )
    return redirect("catalog:profile")


@requires()
@require_POST
@never_cache
def make_token(request: HttpRequest) -> HttpResponse:
    """Make a token and show it, this once: in this answer, and nowhere else."""
    form = TokenForm(_user(request), request.POST)
    if not form.is_valid():
        return _page(request, token_form=form, status=400)
    given = form.cleaned_data
    try:
        token, text = tokens.issue(
            _user(request), given["name"], given["scopes"], actor_of(request), days=given["days"]
        )
    except tokens.RequestRefused as refusal:
        form.add_error("name", str(refusal))
        return _page(request, token_form=form, status=400)
    return _page(request, made=token, text=text)


@requires()
@require_POST
def revoke_token(request: HttpRequest, key: UUID) -> HttpResponse:
    """Let one of one's own tokens open nothing from now on."""
    token = ApiToken.objects.filter(user=_user(request), pk=key).first()
    if token is None:
        raise Http404
    tokens.revoke(token, actor_of(request))
    messages.success(request, f"The token “{token.name}” has been revoked.")
    return redirect("catalog:profile")


@requires()
@require_POST
def end_own_session(request: HttpRequest, key: UUID) -> HttpResponse:
    """Log oneself out in another browser, at once."""
    session = logins.of(_user(request)).filter(pk=key).first()
    if session is None:
        raise Http404
    logins.end(session, actor_of(request))
    messages.success(request, "You have been logged out there.")
    return redirect("catalog:profile")


@requires()
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Log oneself out in every browser but this one, at once."""
    count = logins.end_all(_user(request), actor_of(request), but=request.session.session_key)
    messages.success(request, f"You have been logged out of {count} other browser{'' if count == 1 else 's'}.")
    return redirect("catalog:profile")


@requires("catalog.view_auditlog")
@require_safe
def audit_log(request: HttpRequest) -> HttpResponse:
    """Show who did what, and what was there before and after."""
    context = list_page(request, AuditFilter, AuditLog.objects.visible_to(request.user), _NEWEST)
    shown = context["page"].rows
    link_entities(shown)
    for line in shown:
        line.changes = changes_of(line)
    return render(request, "catalog/audit.html", context)


def _page(request: HttpRequest, *, status: int = 200, **context: object) -> HttpResponse:
    user = _user(request)
    own = ApiToken.objects.filter(user=user)
    context = {
        **standing.in_words(user),
        "tokens": own.filter(revoked_at__isnull=True, expires_at__gt=Now()),
        "past_tokens": own.exclude(revoked_at__isnull=True, expires_at__gt=Now())[:_MOST_TOKENS],
        "password_form": PasswordForm(user),
        "sessions": logins.of(user),
        "here": request.session.session_key,
        "factors": (own_factors := factors.of(user)),
        "has_app": any(factor.type == factors.Kind.TOTP for factor in own_factors),
        "recovery_codes_left": factors.recovery_codes_left(user),
        "is_asked": factors.is_asked_of(user),
        "token_form": TokenForm(user),
        **context,
    }
    return render(request, "catalog/profile.html", context, status=status)


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise Http404  # Nobody without an account comes here.
    return request.user
