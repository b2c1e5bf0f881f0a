"""Where people are logged in: noted as they come, listed, ended at once."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from catalog.models import LoginSession, User
from catalog.people import audit

# One write for each browser in so long, however busy it is.
NOTED_AFTER = dt.timedelta(minutes=5)


def of(account: User) -> QuerySet[LoginSession]:
    """Return where an account is logged in, the last seen first."""
    rows: QuerySet[LoginSession] = LoginSession.objects.filter(user=account, expire_date__gt=timezone.now())
    return rows.order_by("-seen_at", "-id")


def note(key: str, actor: audit.Actor) -> None:
    """Write down that somebody was seen here now, and from where."""
    agent = actor.user_agent.replace("\0", "")[: audit.USER_AGENT_LENGTH]
    LoginSession.objects.filter(session_key=key).update(
        user=actor.user, ip_address=actor.ip_address, user_agent=agent, seen_at=timezone.now()
    )


@transaction.atomic
def end(session: LoginSession, actor: audit.Actor) -> bool:
    """Log somebody out in one browser; return whether they were in until now."""
    gone, _ = LoginSession.objects.filter(pk=session.pk).delete()
    if gone and session.user is not None:
        old = {"ip_address": session.ip_address, "user_agent": session.user_agent, "since": session.created_at}
        audit.record(session.user, "end_session", actor=actor, old=old, summary=session.user.username)
    return bool(gone)


@transaction.atomic
def end_all(account: User, actor: audit.Actor, *, but: str | None = None) -> int:
    """Log an account out everywhere, but for the browser of one session key; return in how many it was in."""
    rows = LoginSession.objects.filter(user=account)
    ended, _ = (rows.exclude(session_key=but) if but else rows).delete()
    if ended:
        audit.record(account, "end_sessions", actor=actor, old={"sessions": ended}, summary=account.username)
    return ended
