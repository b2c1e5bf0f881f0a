"""Everybody's accounts, for administrators: who is invited, who is logged in where, what helps who is locked out."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalog.models import AccountLink, ApiToken, LinkKind, LoginSession, User
from catalog.people import factors, invitations, links, logins, resets, standing, tokens
from catalog.people.actors import actor_of
from catalog.people.filters import PeopleFilter
from catalog.people.forms import InviteForm
from catalog.roles import MAY_KEEP_ACCOUNTS
from catalog.web.access import requires
from catalog.web.lists import list_page

_MOST_INVITATIONS = 50
_BY_NAME = ("username", "id")


@requires(MAY_KEEP_ACCOUNTS)
@require_safe
@never_cache
def people(request: HttpRequest) -> HttpResponse:
    """List accounts and invitations."""
    return _people(request)


@requires(MAY_KEEP_ACCOUNTS)
@require_POST
@never_cache
def invite(request: HttpRequest) -> HttpResponse:
    """Invite somebody; where no mail is sent the link is shown in this answer, and nowhere else."""
    form = InviteForm(_me(request), request.POST)
    if not form.is_valid():
        return _people(request, invite_form=form, status=400)
    try:
        link = invitations.invite(form.cleaned_data["email"], form.cleaned_data["role"], actor_of(request))
    except links.LinkRefused as refusal:
        form.add_error("email", str(refusal))
        return _people(request, invite_form=form, status=400)
    return _show_or_mail(request, link)


@requires(MAY_KEEP_ACCOUNTS)
@require_POST
@never_cache
def invite_again(request: HttpRequest, key: UUID) -> HttpResponse:
    """Make an invitation's link anew, and show or mail it."""
    try:
        link = invitations.make_again(_invitation(key), actor_of(request))
    except links.LinkRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("catalog:people")
    return _show_or_mail(request, link)


@requires(MAY_KEEP_ACCOUNTS)
@require_POST
def revoke_invitation(request: HttpRequest, key: UUID) -> HttpResponse:
    """Let an invitation lead nowhere."""
    link = _invitation(key)
    try:
        links.revoke(link, actor_of(request))
    except links.LinkRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"The invitation of {link.email} has been revoked.")
    return redirect("catalog:people")


@requires(MAY_KEEP_ACCOUNTS)
@require_safe
@never_cache
def person(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show an account with its sessions, tokens and second factor."""
    return _person(request, get_object_or_404(User, pk=key))


@requires(MAY_KEEP_ACCOUNTS)
@require_POST
@never_cache
def make_reset(request: HttpRequest, key: UUID) -> HttpResponse:
    """Make a link to hand over that sets another password; it is shown in this answer, and nowhere else."""
    account = _in_reach(request, key)
    try:
        link = resets.make(account, actor_of(request))
    except links.LinkRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("catalog:person", account.pk)
    return _person(request, account, link=link, text=_whole(request, link))


@requires(MAY_KEEP_ACCOUNTS)
@require_POST
def remove_factor(request: HttpRequest, key: UUID) -> HttpResponse:
    """Take off the second factor of somebody who has lost it."""
    account = _in_reach(request, key)
    if factors.remove_all(account, actor_of(request)):
        messages.success(request, f"{account.username} logs in without a second factor until they set up another.")
    return redirect("catalog:person", account.pk)


@requires(MAY_KEEP_ACCOUNTS)
@require_POST
def end_sessions(request: HttpRequest, key: UUID) -> HttpResponse:
    """Log somebody out everywhere, and oneself everywhere else."""
    account = _in_reach(request, key, may_be_self=True)
    count = logins.end_all(account, actor_of(request), but=request.session.session_key)
    messages.success(request, f"{account.username} has been logged out of {count} browser{'' if count == 1 else 's'}.")
    return redirect("catalog:person", account.pk)


@requires(MAY_KEEP_ACCOUNTS)
@require_POST
def end_session(request: HttpRequest, key: UUID) -> HttpResponse:
    """Log somebody out in one browser."""
    session = get_object_or_404(LoginSession.objects.select_related("user").exclude(user=None), pk=key)
    account = _in_reach(request, session.user_id, may_be_self=True)
    logins.end(session, actor_of(request))
    return redirect("catalog:person", account.pk)


@requires(MAY_KEEP_ACCOUNTS)
@require_POST
def revoke_their_token(request: HttpRequest, key: UUID) -> HttpResponse:
    """Let somebody's token open nothing from now on."""
    token = get_object_or_404(ApiToken, pk=key)
    account = _in_reach(request, token.user_id, may_be_self=True)
    tokens.revoke(token, actor_of(request))
    messages.success(request, f"The token “{token.name}” has been revoked.")
    return redirect("catalog:person", account.pk)


def _people(request: HttpRequest, *, status: int = 200, **context: object) -> HttpResponse:
    me = _me(request)
    page = list_page(request, PeopleFilter, _accounts(), _BY_NAME)
    invited = AccountLink.objects.filter(kind=LinkKind.INVITATION).select_related("role", "made_by", "user")
    context = {
        **page,
        "invitations": invited.order_by("-id")[:_MOST_INVITATIONS],
        "invite_form": InviteForm(me),
        "invitation_days": invitations.LASTS.days,
        "can_mail": links.can_mail_links(),
        **context,
    }
    return render(request, "catalog/people.html", context, status=status)


def _accounts() -> QuerySet[User]:
    open_sessions = Count("sessions", filter=Q(sessions__expire_date__gt=Now()), distinct=True)
    rows: QuerySet[User] = User.objects.prefetch_related("groups")
    return rows.annotate(session_count=open_sessions, has_factor=factors.are_there())


def _person(request: HttpRequest, account: User, **context: object) -> HttpResponse:
    me = _me(request)
    own = ApiToken.objects.filter(user=account)
    context = {
        "account": account,
        **standing.in_words(account),
        "is_me": account.pk == me.pk,
        "is_above": standing.is_above(account, me),
        "factors": factors.of(account),
        "recovery_codes_left": factors.recovery_codes_left(account),
        "is_asked": factors.is_asked_of(account),
        "sessions": logins.of(account),
        "here": request.session.session_key,
        "tokens": own.filter(revoked_at__isnull=True, expires_at__gt=Now()),
        "invitation_days": invitations.LASTS.days,
        "can_mail": links.can_mail_links(),
        **context,
    }
    return render(request, "catalog/person.html", context)


def _show_or_mail(request: HttpRequest, link: AccountLink) -> HttpResponse:
    if link.next_try_at is None:
        return _people(request, made=link, text=_whole(request, link))
    messages.success(request, f"The invitation is being sent to {link.email}.")
    return redirect("catalog:people")


def _whole(request: HttpRequest, link: AccountLink) -> str:
    """Return the address of a link: the configured one of the site, or else the one that this person sees it by."""
    address = links.address_of(link)
    return address if address.startswith("http") else request.build_absolute_uri(address)


def _invitation(key: UUID) -> AccountLink:
    return get_object_or_404(AccountLink.objects.select_related("role"), kind=LinkKind.INVITATION, pk=key)


def _in_reach(request: HttpRequest, key: UUID | None, *, may_be_self: bool = False) -> User:
    """Return an account that may do no more than who asks; one's own asks for its password, in one's own profile."""
    account = get_object_or_404(User, pk=key)
    me = _me(request)
    if standing.is_above(account, me) or (account.pk == me.pk and not may_be_self):
        raise PermissionDenied
    return account


def _me(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
