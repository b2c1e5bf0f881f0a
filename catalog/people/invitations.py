"""Invitations: somebody is let in by an administrator, and by nobody else; they choose name and password themselves."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog.models import AccountLink, LinkKind, User
from catalog.people import audit
from catalog.people.links import LinkRefused, can_mail_links, hold
from catalog.people.standing import is_role_above

LASTS = dt.timedelta(days=7)


@transaction.atomic
def invite(email: str, role: Group, actor: audit.Actor) -> AccountLink:
    """Make an invitation, to be mailed where the site can. Raises LinkRefused, which says why not."""
    address = email.strip().lower()
    if not isinstance(actor.user, User) or is_role_above(role, actor.user):
        raise LinkRefused(f"The role {role.name} may do more than you: ask somebody who has it.")
    if account := User.objects.filter(email__iexact=address).first():
        raise LinkRefused(f"{address} belongs to {account.username} already.")
    rows = AccountLink.objects.filter(kind=LinkKind.INVITATION, email=address)
    if rows.open().exists():
        raise LinkRefused(f"{address} has an invitation already: send it again, or revoke it.")
    now = timezone.now()
    rows.filter(used_at__isnull=True, revoked_at__isnull=True).update(revoked_at=now)
    try:
        with transaction.atomic():
            link = AccountLink.objects.create(
                kind=LinkKind.INVITATION, email=address, role=role, made_by=actor.user,
                expires_at=now + LASTS, next_try_at=now if can_mail_links() else None,
            )  # fmt: skip
    except IntegrityError as error:
        raise LinkRefused(f"{address} has an invitation already: send it again, or revoke it.") from error
    audit.record(link, "invite", actor=actor, new=_told(link), summary=f"{address} as {role.name}")
    return link


@transaction.atomic
def make_again(link: AccountLink, actor: audit.Actor) -> AccountLink:
    """Make the link of an invitation anew, valid for as long again; the earlier one ends. Raises LinkRefused."""
    row: AccountLink = AccountLink.objects.select_for_update(of=("self",)).get(pk=link.pk)
    if row.kind != LinkKind.INVITATION or row.state in ("used", "revoked"):
        raise LinkRefused(f"This invitation is {row.state}: invite them anew.")
    if row.role is None or not isinstance(actor.user, User) or is_role_above(row.role, actor.user):
        raise LinkRefused("Its role is gone, or may do more than you: revoke it and invite them anew.")
    now = timezone.now()
    row.serial, row.expires_at, row.tries, row.mailed_at, row.last_reason = (
        row.serial + 1, now + LASTS, 0, None, "",
    )  # fmt: skip
    row.next_try_at = now if can_mail_links() else None
    row.save()
    audit.record(row, "invite_again", actor=actor, new=_told(row), summary=str(row))
    return row


@transaction.atomic
def accept(link: AccountLink, name: str, password: str, actor: audit.Actor) -> User:
    """Make the account that somebody was invited to. Raises LinkRefused where the link or its role is gone meanwhile,
    or the name taken."""
    row = hold(link)
    if row.role is None:
        raise LinkRefused("The role that this invitation was for is gone: ask for another invitation.")
    try:
        with transaction.atomic():
            account: User = User.objects.create_user(name, row.email, password)
    except IntegrityError as error:
        raise LinkRefused("This name is taken: choose another.") from error
    account.groups.add(row.role)
    row.user, row.used_at, row.next_try_at = account, timezone.now(), None
    row.save(update_fields=["user", "used_at", "next_try_at", "updated_at"])
    new = {"username": account.username, "email": row.email, "role": row.role.name, "invitation": str(row.pk)}
    by_them = audit.Actor(account, actor.ip_address, actor.user_agent)
    audit.record(account, "accept_invitation", actor=by_them, new=new, summary=account.username)
    return account


def _told(link: AccountLink) -> dict[str, object]:
    role = link.role.name if link.role else None
    return {"email": link.email, "role": role, "expires_at": link.expires_at, "is_mailed": link.next_try_at is not None}
