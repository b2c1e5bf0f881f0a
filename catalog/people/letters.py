"""Letters with links, sent by a worker: a mail server that does not answer holds up no page."""

from __future__ import annotations

import datetime as dt
import time

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.utils import timezone

from catalog.files.mail import hand_over
from catalog.models import AccountLink, LinkKind
from catalog.people import audit, resets
from catalog.people.links import address_of, can_mail_links
from catalog.writing import utc

_LOCK = 7404
# A turn ends in time for the next.
_TURN_SECONDS = 30.0
_MOST_AT_ONCE = 100
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 15.0, 1800.0
_INVITATION = """You are invited to AstrID at {site} as {role}, by {by}.

Choose a name and a password here:

{link}

The link works once, until {until} UTC. If you do not know what this is about, ignore it.
"""
_RESET = """Somebody, probably you, has forgotten the password of {name} at {site}.

Choose another one here:

{link}

The link works once, until {until} UTC. If it was not you, ignore this: nothing has changed.
"""


def take_turn() -> int:
    """Send what is due, one turn at a time; return how many letters the mail server took."""
    with connection.cursor() as cursor:
        # Of the session, and none of a transaction: none stands open while the mail server is waited for.
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        try:
            return _take_turn()
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _take_turn() -> int:
    start, sent = time.monotonic(), 0
    for link in AccountLink.objects.due().exclude(asked_for="")[:_MOST_AT_ONCE]:
        resets.resolve(link)
    resets.tidy()
    due = AccountLink.objects.due().filter(asked_for="").select_related("role", "user", "made_by")
    for link in due.order_by("next_try_at")[:_MOST_AT_ONCE]:
        if time.monotonic() - start > _TURN_SECONDS:
            break
        sent += _send(link)
    return sent


def _send(link: AccountLink) -> bool:
    if link.state == "expired" or not can_mail_links():
        why = "It expired before it was sent." if link.state == "expired" else "The site sends no e-mail any more."
        _note(link, next_try_at=None, last_reason=f"{why} {link.last_reason}".strip())
        return False
    if reason := hand_over(letter(link)):
        wait = min(_FIRST_WAIT_SECONDS * 2.0**link.tries, _LONGEST_WAIT_SECONDS)
        again = timezone.now() + dt.timedelta(seconds=wait)
        _note(link, next_try_at=again, last_reason=reason, tries=link.tries + 1)
        return False
    with transaction.atomic():
        _note(link, next_try_at=None, last_reason="", tries=link.tries + 1, mailed_at=timezone.now())
        audit.record(link, "mail_link", new={"kind": link.kind, "to": link.email}, summary=str(link))
    return True


def _note(link: AccountLink, **values: object) -> None:
    """Write down what came of it, unless it was made anew, revoked or used meanwhile: that has said what is due."""
    rows = AccountLink.objects.filter(pk=link.pk, serial=link.serial, revoked_at__isnull=True, used_at__isnull=True)
    rows.update(**values)


def letter(link: AccountLink) -> EmailMessage:
    """Return the letter with a link."""
    is_invitation = link.kind == LinkKind.INVITATION
    subject = "Invitation to AstrID" if is_invitation else "Another password for AstrID"
    text = (_INVITATION if is_invitation else _RESET).format(
        site=settings.ASTRID_ADDRESS,
        role=link.role.name if link.role else "",
        by=link.made_by.username if link.made_by else "an administrator",
        name=link.user.username if link.user else "",
        link=address_of(link),
        until=utc(link.expires_at),
    )
    headers = {"Auto-Submitted": "auto-generated"}
    return EmailMessage(f"[AstrID] {subject}", text, settings.ASTRID_MAIL_FROM, [link.email], headers=headers)
