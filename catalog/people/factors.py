"""The second factor of an account: set up, asked for, taken off. Codes and keys are the library's, allauth.mfa."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from allauth.core.internal.cryptokit import compare_user_code, normalize_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    validate_totp_code,
    yield_hotp_counters_from_time,
)
from allauth.mfa.utils import decrypt
from cryptography.fernet import InvalidToken
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from catalog.configuration.values import acceptable
from catalog.models import User
from catalog.people import audit
from catalog.roles import ROLES

logger = logging.getLogger(__name__)

Kind = Authenticator.Type
# The counter of the code that was taken last: neither it nor an earlier one is taken again, by any process.
_LAST = "last_counter"
# Digits of a code that an app shows; those of a recovery code are more.
CODE_DIGITS = 6


class FactorRefused(ValueError):
    """This second factor is not set up or taken off; the text says why."""


def are_there() -> Exists:
    """Return, for a query of accounts, whether each has a second factor."""
    return Exists(Authenticator.objects.filter(user=OuterRef("pk")).exclude(type=Kind.RECOVERY_CODES))


def of(account: User) -> list[Authenticator]:
    """Return the second factors of an account, without its recovery codes."""
    rows = Authenticator.objects.filter(user_id=account.pk).exclude(type=Kind.RECOVERY_CODES)
    return list(rows.order_by("created_at", "pk"))


def has(account: User) -> bool:
    """Tell whether an account has a second factor, so that its password alone lets nobody in."""
    return bool(of(account))


def is_asked_of(account: User) -> bool:
    """Tell whether the configuration asks a second factor of an account's role; a superuser is an administrator."""
    values = acceptable()
    asked = {role for role in ROLES if values[f"people.second_factor_{role}"]}
    if not asked:
        return False
    roles = set(account.groups.values_list("name", flat=True)) | ({ROLES[-1]} if account.is_superuser else set())
    return not asked.isdisjoint(roles)


def new_secret() -> str:
    """Return a secret that an app and the site are to share."""
    return str(generate_totp_secret())


def picture_of(account: User, secret: str) -> str:
    """Return an SVG with the QR code of a secret, for a page, without what belongs to a file."""
    adapter = get_adapter()
    svg = str(adapter.build_totp_svg(adapter.build_totp_url(account, secret)))
    return svg[svg.index("<svg") :]


@transaction.atomic
def add_app(account: User, secret: str, code: str, actor: audit.Actor) -> list[str]:
    """Ask codes of an app from now on, once it has shown a right one; return the recovery codes, if they are new.

    Raises FactorRefused.
    """
    User.objects.select_for_update().get(pk=account.pk)
    if Authenticator.objects.filter(user_id=account.pk, type=Kind.TOTP).exists():
        raise FactorRefused("There is an authenticator app already: remove it first.")
    counter = _counter_of(secret, code, after=-1)
    if counter is None:
        raise FactorRefused("This is not the code that belongs to it now. Is the clock of the device right?")
    row = TOTP.activate(account, secret).instance
    row.data[_LAST] = counter
    row.save(update_fields=["data"])
    audit.record(account, "add_second_factor", actor=actor, new={"kind": row.type}, summary=account.username)
    return ensure_recovery_codes(account)


def ensure_recovery_codes(account: User) -> list[str]:
    """Make recovery codes where there are none; return them, or nothing where they were shown before."""
    if Authenticator.objects.filter(user_id=account.pk, type=Kind.RECOVERY_CODES).exists():
        return []
    return list(RecoveryCodes.activate(account).generate_codes())


@transaction.atomic
def renew_recovery_codes(account: User, actor: audit.Actor) -> list[str]:
    """Return new recovery codes; the earlier ones are taken no more. Raises FactorRefused without a second factor."""
    User.objects.select_for_update().get(pk=account.pk)
    if not has(account):
        raise FactorRefused("Recovery codes stand in for a second factor: set one up first.")
    Authenticator.objects.filter(user_id=account.pk, type=Kind.RECOVERY_CODES).delete()
    audit.record(account, "renew_recovery_codes", actor=actor, summary=account.username)
    return ensure_recovery_codes(account)


def recovery_codes_left(account: User) -> int:
    """Return how many recovery codes have not been used."""
    row = Authenticator.objects.filter(user_id=account.pk, type=Kind.RECOVERY_CODES).first()
    if row is None:
        return 0
    try:
        return len(RecoveryCodes(row).get_unused_codes())
    except InvalidToken:
        return 0


def check(account: User, code: str) -> str:
    """Return what a code is of, and take it no second time; "" for a wrong one."""
    text = normalize_user_code(code)
    kind = Kind.TOTP if len(text) == CODE_DIGITS else Kind.RECOVERY_CODES
    try:
        return str(kind) if _take(account, kind, text) else ""
    except InvalidToken:
        logger.error("The second factor of %s was kept under another SECRET_KEY: it has to be taken off.", account)
        return ""


@transaction.atomic
def _take(account: User, kind: str, code: str) -> bool:
    row = Authenticator.objects.select_for_update().filter(user_id=account.pk, type=kind).first()
    if row is None or not code:
        return False
    if kind == Kind.RECOVERY_CODES:
        is_right = bool(RecoveryCodes(row).validate_code(code))
        row.refresh_from_db()
    else:
        counter = _counter_of(decrypt(row.data["secret"]), code, after=row.data.get(_LAST, -1))
        is_right = counter is not None
        row.data |= {_LAST: counter} if is_right else {}
    if is_right:
        row.last_used_at = timezone.now()
        row.save(update_fields=["data", "last_used_at"])
    return is_right


def _counter_of(secret: str, code: str, after: int) -> int | None:
    """Return the counter of the half minute that a code belongs to; None for a wrong code or one of an earlier."""
    if not validate_totp_code(secret, code):
        return None
    for counter in yield_hotp_counters_from_time():
        if counter > after and compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, counter))):
            return int(counter)
    return None


@transaction.atomic
def remove(account: User, rows: Iterable[Authenticator], actor: audit.Actor) -> None:
    """Take second factors off; with the last one go its recovery codes."""
    for row in rows:
        row.delete()
        audit.record(account, "remove_second_factor", actor=actor, old={"kind": row.type}, summary=account.username)
    if not has(account):
        Authenticator.objects.filter(user_id=account.pk).delete()


@transaction.atomic
def remove_all(account: User, actor: audit.Actor) -> int:
    """Take every second factor off, for somebody who has lost them; return how many there were."""
    rows = of(account)
    remove(account, rows, actor)
    return len(rows)
