"""What the library of second factors asks of us: secrets are kept encrypted, and keys belong to the site's address."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import urlsplit

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils.encoding import force_bytes

from catalog.encrypting import Renewed

_SITE = "AstrID"
# What the library keeps encrypted of an app, and of recovery codes.
_ENCRYPTED = ("secret", "seed")


class Adapter(DefaultMFAAdapter):
    """The library's own; who has the database alone, such as a back-up, can make no codes."""

    def encrypt(self, text: str) -> str:
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _box().decrypt(encrypted_text.encode()).decode()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return the site that a security key is bound to: by its configured address, if it has one."""
        host = urlsplit(settings.ASTRID_ADDRESS).hostname or context.request.get_host().partition(":")[0]
        return {"id": host, "name": _SITE}

    def _get_user_identifier(self, user: AbstractBaseUser) -> str:
        return str(user.get_username())


@transaction.atomic
def renew_factors() -> Renewed:
    """Encrypt the secrets of apps and of recovery codes under the present key."""
    count, unreadable = 0, list[str]()
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    for row in Authenticator.objects.select_for_update(of=("self",)).filter(type__in=kinds).select_related("user"):
        try:
            row.data |= {name: _renewed(row.data[name]) for name in _ENCRYPTED if name in row.data}
        except InvalidToken:
            unreadable.append(f"the second factor of {row.user.get_username()} ({row.get_type_display()})")
            continue
        row.save(update_fields=["data"])
        count += 1
    return Renewed(count, tuple(unreadable))


def _renewed(kept: str) -> str:
    return _box().rotate(kept).decode()


def _box() -> MultiFernet:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_key(secret)) for secret in keys])


def _key(secret: str | bytes) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"second factors " + force_bytes(secret)).digest())
