"""Secrets that the database keeps and the program has to read again: encrypted, so that the database alone tells none.

The key is made of SECRET_KEY, by HKDF (RFC 5869) and for one purpose; what was encrypted under a former key is read as
long as SECRET_KEY_FALLBACKS names that.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes

_KEY_BYTES = 32


class SecretUnreadable(Exception):
    """What is kept was encrypted under a key that is not known any more."""


@dataclass(frozen=True)
class Renewed:
    """How many secrets of a kind were encrypted under the present key, and which could not be read."""

    count: int
    unreadable: tuple[str, ...]


def encrypted(text: str, purpose: str) -> str:
    """Return a text as it is kept; the same purpose reads it."""
    return _box(purpose).encrypt(text.encode()).decode()


def decrypted(kept: str, purpose: str) -> str:
    """Return what was encrypted for a purpose. Raises SecretUnreadable."""
    try:
        return _box(purpose).decrypt(kept.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable(f"A secret of {purpose} cannot be read: SECRET_KEY was changed.") from error


def renewed(kept: str, purpose: str) -> str:
    """Return what is kept, encrypted under the present key. Raises SecretUnreadable."""
    return encrypted(decrypted(kept, purpose), purpose)


def _box(purpose: str) -> MultiFernet:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_key(key, purpose)) for key in keys])


def _key(secret: str | bytes, purpose: str) -> bytes:
    made = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=f"astrid {purpose}".encode())
    return base64.urlsafe_b64encode(made.derive(force_bytes(secret)))
