"""Links that let somebody in once: made, recognised, ended. A link's secret is made of its row and the site's key.

So a worker can write it into a letter and an administrator can be shown it, and who has the database alone has none.
"""

from __future__ import annotations

import datetime as dt
import re
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from catalog.files.mail import can_send_mail
from catalog.models import AccountLink, LinkKind, User
from catalog.people import audit

# Whoever asked waits for it; what an administrator hands over may take a day to arrive.
MAILED_RESET_LASTS = dt.timedelta(hours=2)
HANDED_RESET_LASTS = dt.timedelta(hours=24)
_SALT = "catalog.people.links"
_SHAPE = re.compile(r"([0-9a-f]{32})\.(\d{1,9})\.([0-9a-f]{64})")
_PAGES = {LinkKind.INVITATION: "catalog:accept_invitation", LinkKind.PASSWORD_RESET: "catalog:reset_password"}
_WHY = {
    "used": "This link has been used: it works once.",
    "revoked": "This link has been revoked.",
    "expired": "This link has expired.",
}


class LinkRefused(ValueError):
    """This link leads nowhere, or none is made; the text says why."""


def can_mail_links() -> bool:
    """Tell whether links are mailed: the site sends e-mail, and was told the address that a link begins with."""
    return can_send_mail() and bool(settings.ASTRID_ADDRESS)


def path_of(link: AccountLink) -> str:
    """Return the address of a link within the site."""
    text = f"{link.pk.hex}.{link.serial}"
    return reverse(_PAGES[LinkKind(link.kind)], args=[f"{text}.{_signature(link.kind, text)}"])


def address_of(link: AccountLink) -> str:
    """Return the whole address of a link, by the configured address of the site and by nothing that a request says."""
    return f"{settings.ASTRID_ADDRESS}{path_of(link)}"


def find(kind: LinkKind, text: str) -> AccountLink:
    """Return the row of a link that may be followed. Raises LinkRefused, which says why it may not."""
    found = _SHAPE.fullmatch(text)
    if found is None or not constant_time_compare(_signature(kind, f"{found[1]}.{found[2]}"), found[3]):
        raise LinkRefused("This is not a link of this site. Was it copied whole?")
    link = AccountLink.objects.select_related("user", "role").filter(kind=kind, pk=UUID(found[1])).first()
    if link is None or (kind == LinkKind.PASSWORD_RESET and link.user is None):
        raise LinkRefused("This link is no longer known.")
    if link.state in _WHY:
        raise LinkRefused(_WHY[link.state])
    if link.serial != int(found[2]):
        raise LinkRefused("This link has been replaced by a newer one.")
    if link.user is not None and (not link.user.is_active or link.stamp != stamp_of(link.user)):
        raise LinkRefused("The password has been changed since this link was made.")
    return link


def hold(link: AccountLink) -> AccountLink:
    """Return the row again, locked, if it may still be followed: of two who follow it at once one is refused."""
    row: AccountLink = AccountLink.objects.select_for_update(of=("self",)).get(pk=link.pk)
    if row.state in _WHY:
        raise LinkRefused(_WHY[row.state])
    return row


def stamp_of(account: User) -> str:
    """Return what tells one password of an account from another, and tells nothing about it."""
    return salted_hmac(f"{_SALT} stamp", account.password, algorithm="sha256").hexdigest()


@transaction.atomic
def revoke(link: AccountLink, actor: audit.Actor) -> None:
    """Let a link lead nowhere from now on. Raises LinkRefused where it does not lead anywhere already."""
    row = hold(link)
    row.revoked_at, row.next_try_at = timezone.now(), None
    row.save(update_fields=["revoked_at", "next_try_at", "updated_at"])
    audit.record(row, "revoke_link", actor=actor, old={"kind": row.kind, "email": row.email}, summary=str(row))


def _signature(kind: str, text: str) -> str:
    return salted_hmac(_SALT, f"{kind}.{text}", algorithm="sha256").hexdigest()
