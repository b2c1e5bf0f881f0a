"""Guessing passwords: after how many wrong ones the log-in is shut, to whom, and how it is opened again.

Three counts stand beside each other. A name is shut to one address soon. It is shut to all addresses, and an address to
all names, much later: whoever guesses from many machines, or one password for many names, gets no further. From an
address where somebody has logged in lately they log in also while others guess, so that no stranger shuts them out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone

from catalog.models import User
from catalog.people import audit

# Wrong passwords until a name is shut to all addresses: ten machines have made as many as one may.
SHUT_NAME_AFTER = 50
# Until an address is shut to all names: a class of forgetful students behind one router has fewer.
SHUT_ADDRESS_AFTER = 100
_FIELDS = ("username", "ip_address")
# For how long an address is one where somebody logs in.
KNOWN_DAYS = 30

# A name that somebody logs in with, and an address that it comes from.
Pair = tuple[str, str | None]


class Handler(AxesDatabaseHandler):
    """The library's count by name and address, with those by the name alone and by the address alone beside it."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, object] | None = None) -> int:
        """Return the count that is nearest to its limit, on the scale of the first."""
        pair = str((credentials or {}).get("username") or ""), getattr(request, "axes_ip_address", None)
        return max(_counts([pair])[pair].values())


def lasts() -> dt.timedelta:
    """Return for how long wrong passwords count, and a lock lasts after the last of them."""
    return dt.timedelta(hours=settings.AXES_COOLOFF_TIME)


def counted() -> QuerySet[AccessAttempt]:
    """Return the wrong passwords that count now, one row for each name, address and browser."""
    return AccessAttempt.objects.filter(attempt_time__gte=timezone.now() - lasts())


def locks_of(pairs: Collection[Pair]) -> dict[Pair, list[str]]:
    """Return for each name and address in words which locks hold there."""
    limit = settings.AXES_FAILURE_LIMIT
    return {
        pair: [words for words, count in counts.items() if count >= limit] for pair, counts in _counts(pairs).items()
    }


def note_log_in(account: User, actor: audit.Actor) -> None:
    """Write down that somebody has logged in."""
    audit.record(account, "log_in", actor=actor, summary=account.username)


def note_log_out(actor: audit.Actor) -> None:
    """Write down that somebody has logged out, if it was somebody."""
    if isinstance(actor.user, User):
        audit.record(actor.user, "log_out", actor=actor, summary=actor.user.username)


@transaction.atomic
def note_failure(name: str, actor: audit.Actor) -> None:
    """Write down a log-in that failed, and the lock that began with it.

    A name that no account has is not kept: people type their password there.
    """
    account = User.objects.filter(username=name).first()
    entity = account or ("log_in", "")
    known_as = account.username if account else "a name that no account has"
    audit.record(entity, "fail_log_in", actor=actor, summary=known_as)
    pair = name, actor.ip_address
    if locks := locks_of([pair])[pair]:
        until = timezone.now() + lasts()
        new = {"shut": locks, "until": until.isoformat(timespec="seconds")}
        audit.record(entity, "lock_log_in", actor=actor, new=new, summary=f"{known_as}: {', '.join(locks)}")


@transaction.atomic
def lift(attempt: AccessAttempt, actor: audit.Actor) -> None:
    """Forget the wrong passwords for a name and those from an address, so that no lock of theirs holds."""
    name, address = attempt.username, attempt.ip_address
    gone, _ = AccessAttempt.objects.filter(Q(username=name) | Q(ip_address=address)).delete()
    if not gone:
        return
    account = User.objects.filter(username=name).first()
    old = {"name": name, "address": address, "rows": gone}
    audit.record(account or ("log_in", ""), "lift_lock", actor=actor, old=old, summary=f"{name} from {address}")


def _counts(pairs: Collection[Pair]) -> dict[Pair, dict[str, int]]:
    """Return for each name and address each count by the lock that it leads to, on the scale of the first one."""
    of_names, of_addresses = (Q(**{f"{field}__in": {pair[i] for pair in pairs}}) for i, field in enumerate(_FIELDS))
    by_both = _sums(of_names & of_addresses, *_FIELDS)
    by_name, by_address = _sums(of_names, _FIELDS[0]), _sums(of_addresses, _FIELDS[1])
    since = timezone.now() - dt.timedelta(days=KNOWN_DAYS)
    logs = AccessLog.objects.filter(of_names & of_addresses, attempt_time__gte=since)
    known, first = set(logs.values_list(*_FIELDS)), settings.AXES_FAILURE_LIMIT
    found = {}
    for pair in pairs:
        found[pair] = {"this name from this address": by_both.get(pair, 0)}
        if pair not in known:
            found[pair]["this name from everywhere"] = by_name.get(pair[:1], 0) * first // SHUT_NAME_AFTER
            found[pair]["every name from this address"] = by_address.get(pair[1:], 0) * first // SHUT_ADDRESS_AFTER
    return found


def _sums(whose: Q, *fields: str) -> dict[tuple[object, ...], int]:
    rows = counted().filter(whose).order_by().values_list(*fields).annotate(total=Sum("failures_since_start"))
    return {tuple(row[:-1]): row[-1] for row in rows}
