"""Forgotten passwords: a link that sets another one, asked for by anybody or made by an administrator.

Whoever asks is told the same in the same time, whether there is such an account or not: the request only writes down
what was typed, and a worker looks for it.
"""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalog.models import AccountLink, LinkKind, User
from catalog.people import audit, logins
from catalog.people.accounts import change_password
from catalog.people.links import HANDED_RESET_LASTS, MAILED_RESET_LASTS, LinkRefused, hold, stamp_of
from catalog.people.standing import is_above

# How often a reset is asked for within an hour from one address, and mailed to one account.
MOST_FROM_ADDRESS, MOST_FOR_ACCOUNT = 10, 3
_HOUR = dt.timedelta(hours=1)
# What nobody has an account for is kept as long as it counts.
_KEPT = dt.timedelta(days=1)


class TooMany(Exception):
    """From this address more was asked than one person asks."""


def ask(typed: str, actor: audit.Actor) -> None:
    """Write down that somebody has forgotten their password; `typed` is a name or an e-mail address. Raises TooMany."""
    now = timezone.now()
    asked = AccountLink.objects.filter(kind=LinkKind.PASSWORD_RESET, created_at__gte=now - _HOUR)
    if asked.filter(asked_from=actor.ip_address, made_by=None).count() >= MOST_FROM_ADDRESS:
        raise TooMany
    AccountLink.objects.create(
        kind=LinkKind.PASSWORD_RESET, asked_for=typed.strip()[:254], asked_from=actor.ip_address, next_try_at=now,
        expires_at=now + MAILED_RESET_LASTS,
    )  # fmt: skip


@transaction.atomic
def resolve(link: AccountLink) -> None:
    """Find whose password is to be reset, or end the link where nobody's is; what was typed is kept no longer."""
    typed, link.asked_for = link.asked_for, ""
    now = timezone.now()
    known = User.objects.filter(Q(username=typed) | Q(email__iexact=typed), is_active=True).exclude(email="")
    # The first of several with one address: the others ask by their names.
    account = known.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX).order_by("created_at").first()
    lately = AccountLink.objects.filter(kind=LinkKind.PASSWORD_RESET, user=account, created_at__gte=now - _HOUR)
    if account is None or lately.filter(made_by=None).count() >= MOST_FOR_ACCOUNT:
        link.revoked_at, link.next_try_at = now, None
    else:
        link.user, link.email, link.stamp = account, account.email, stamp_of(account)
        origin = audit.Actor(None, link.asked_from)
        audit.record(account, "ask_password_reset", actor=origin, summary=account.username)
    link.save()


@transaction.atomic
def make(account: User, actor: audit.Actor) -> AccountLink:
    """Make a link for an administrator to hand over; earlier ones of this account end. Raises LinkRefused."""
    if not isinstance(actor.user, User) or is_above(account, actor.user):
        raise LinkRefused(f"{account.username} may do more than you: ask somebody who may as much.")
    if not account.is_active:
        raise LinkRefused(f"{account.username} is disabled: a new password would let nobody in.")
    _end_others(account)
    link = AccountLink.objects.create(
        kind=LinkKind.PASSWORD_RESET, user=account, email=account.email, made_by=actor.user, stamp=stamp_of(account),
        expires_at=timezone.now() + HANDED_RESET_LASTS,
    )  # fmt: skip
    new = {"expires_at": link.expires_at}
    audit.record(account, "make_password_reset", actor=actor, new=new, summary=account.username)
    return link


@transaction.atomic
def reset(link: AccountLink, password: str, actor: audit.Actor) -> User:
    """Set another password, log the account out everywhere and end its other links. Raises LinkRefused."""
    row = hold(link)
    account = User.objects.select_for_update().get(pk=row.user_id)
    row.used_at, row.next_try_at = timezone.now(), None
    row.save(update_fields=["used_at", "next_try_at", "updated_at"])
    _end_others(account)
    by_link = audit.Actor(None, actor.ip_address, actor.user_agent, reason="by a link")
    change_password(account, password, by_link)
    logins.end_all(account, by_link)
    return account


def tidy() -> None:
    """Forget what was asked for in vain."""
    old = AccountLink.objects.filter(kind=LinkKind.PASSWORD_RESET, user=None, created_at__lt=timezone.now() - _KEPT)
    old.delete()


def _end_others(account: User) -> None:
    rows = AccountLink.objects.filter(kind=LinkKind.PASSWORD_RESET, user=account)
    rows.open().update(revoked_at=timezone.now(), next_try_at=None)
