"""Security keys as second factors (WebAuthn): what the browser asks of a key, and whether its answer holds.

The library keeps the challenge in the session of the request under way, and takes it away once it was answered.
"""

from __future__ import annotations

import json

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from cryptography.exceptions import InvalidSignature
from django.core.exceptions import ValidationError
from django.db import transaction

from catalog.models import User
from catalog.people import audit
from catalog.people.factors import FactorRefused, Kind, ensure_recovery_codes

LONGEST_NAME = 50
# What is longer than any answer of a key.
_LONGEST_ANSWER = 20_000
# What the library raises for answers that are none, or not to this challenge.
_WRONG = (ValidationError, ValueError, TypeError, KeyError, AttributeError, InvalidSignature)


def options_to_add(account: User) -> dict[str, object]:
    """Return what a browser asks a new key."""
    return dict(auth.begin_registration(account, passwordless=False))


def options_to_check(account: User) -> dict[str, object]:
    """Return what a browser asks one of an account's keys."""
    return dict(auth.begin_authentication(account))


@transaction.atomic
def add(account: User, name: str, answer: str, actor: audit.Actor) -> list[str]:
    """Take a key from now on; return the recovery codes, if they are new. Raises FactorRefused."""
    title = name.strip()
    if not title or len(title) > LONGEST_NAME or not title.isprintable():
        raise FactorRefused(f"Give the key a name of at most {LONGEST_NAME} characters.")
    User.objects.select_for_update().get(pk=account.pk)
    try:
        credential = _read(answer)
        auth.parse_registration_response(credential)
        auth.complete_registration(credential)
    except _WRONG as error:
        raise FactorRefused("The browser gave no answer of a key that can be used: try again.") from error
    row = auth.WebAuthn.add(account, title, credential).instance
    new = {"kind": row.type, "name": title}
    audit.record(account, "add_second_factor", actor=actor, new=new, summary=account.username)
    return ensure_recovery_codes(account)


def check(account: User, answer: str) -> bool:
    """Tell whether an answer is one of an account's keys' to the challenge that this session was given."""
    try:
        row: Authenticator = auth.complete_authentication(account, _read(answer))
    except _WRONG:
        return False
    row.record_usage()
    return bool(row.type == Kind.WEBAUTHN)


def _read(answer: str) -> dict[str, object]:
    read = json.loads(answer[:_LONGEST_ANSWER])
    if not isinstance(read, dict):
        raise ValueError("an answer is an object")
    return read
