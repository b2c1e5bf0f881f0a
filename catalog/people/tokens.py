"""Tokens of programs: made, shown once, recognised, revoked."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Collection

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from catalog.models import ApiToken, User
from catalog.people import audit
from catalog.people.backend import token_with_owner
from catalog.people.scopes import SCOPES

DAYS, MOST_DAYS = 90, 730
LONGEST_NAME = 100
# What a token looks like: astrid_, 12 digits by which it is found, _, 64 digits (256 bits) that nobody can guess.
_KIND = "astrid_"
_LOOKUP_BYTES, _SECRET_BYTES = 6, 32
_PREFIX_LENGTH = len(_KIND) + 2 * _LOOKUP_BYTES
_SHAPE = re.compile(rf"{_KIND}[0-9a-f]{{{2 * _LOOKUP_BYTES}}}_[0-9a-f]{{{2 * _SECRET_BYTES}}}")
# One write a minute at most, however busy its client is.
_USE_NOTED_AFTER = dt.timedelta(minutes=1)


class RequestRefused(ValueError):
    """Such a token is not made; the text says why."""


class TokenRefused(Exception):
    """This token opens nothing. Only who holds a true one is told more than that it is not known."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@transaction.atomic
def issue(
    user: User, name: str, scopes: Collection[str], actor: audit.Actor, *, days: int = DAYS
) -> tuple[ApiToken, str]:
    """Make a token; return its row and its text, which is nowhere kept.

    Raises RequestRefused where a scope is not known, or name or duration is out of bounds.
    """
    unknown = sorted(set(scopes) - SCOPES.keys())
    if unknown:
        raise RequestRefused(f"There is no scope {', '.join(unknown)}. Choose among: {', '.join(SCOPES)}.")
    if not scopes:
        raise RequestRefused("A token without a scope gives access to nothing: choose at least one.")
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise RequestRefused(f"Give the token a name of at most {LONGEST_NAME} characters that says what it is for.")
    if not 1 <= days <= MOST_DAYS:
        raise RequestRefused(f"A token is valid for 1 to {MOST_DAYS} days.")
    prefix = _KIND + secrets.token_hex(_LOOKUP_BYTES)
    text = f"{prefix}_{secrets.token_hex(_SECRET_BYTES)}"
    token = ApiToken.objects.create(
        user=user,
        name=name.strip(),
        prefix=prefix,
        digest=_digest(text),
        scopes=sorted(set(scopes)),
        expires_at=timezone.now() + dt.timedelta(days=days),
    )
    new = {"user": user.username, "name": token.name, "scopes": token.scopes, "expires_at": token.expires_at}
    audit.record(token, "issue_token", actor=actor, new=new, summary=str(token))
    return token, text


@transaction.atomic
def revoke(token: ApiToken, actor: audit.Actor) -> bool:
    """Let a token open nothing from now on; return whether it did until now."""
    ended = ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=Now())
    if ended:
        audit.record(token, "revoke_token", actor=actor, new={"name": token.name}, summary=str(token))
    return bool(ended)


def is_like_token(text: str) -> bool:
    """Say whether somebody means a token, if not a whole one."""
    return text.startswith(_KIND)


def beginning_of(text: str) -> str:
    """Return by what a token is found; "" for what does not look like one."""
    return text[:_PREFIX_LENGTH] if _SHAPE.fullmatch(text) else ""


def verify(text: str) -> ApiToken:
    """Return the row of a token that opens what its scopes name, with its owner; note that it was used.

    Raises TokenRefused.
    """
    unknown = TokenRefused("token_unknown", "This token is unknown.")
    if not (prefix := beginning_of(text)):
        raise unknown
    token = token_with_owner(prefix)
    if token is None or not hmac.compare_digest(_digest(text), token.digest):
        raise unknown
    now = timezone.now()
    if token.revoked_at is not None:
        raise TokenRefused("token_revoked", "This token has been revoked: create another one.")
    if token.expires_at <= now:
        raise TokenRefused("token_expired", "This token has expired: create another one.")
    if not token.user.is_active:
        raise TokenRefused("account_disabled", "This token's account is disabled.")
    if token.last_used_at is None or now - token.last_used_at >= _USE_NOTED_AFTER:
        is_due = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - _USE_NOTED_AFTER)
        ApiToken.objects.filter(is_due, pk=token.pk).update(last_used_at=now)
    return token


def _digest(text: str) -> str:
    # No slow hash: 256 random bits are not guessed, and every request is looked at.
    return hashlib.sha256(text.encode()).hexdigest()
