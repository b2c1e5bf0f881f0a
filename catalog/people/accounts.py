"""What people do with their own account; and the accounts that the demo brings, one for each role."""

from __future__ import annotations

import secrets

from django.contrib.auth.models import Group
from django.db import transaction

from catalog.files import storage
from catalog.models import User
from catalog.people import audit
from catalog.roles import ROLES

_KEPT = "demo/password"


def demo_password(given: str) -> str:
    """Return the password of the demo's accounts: the given one, else one that is made once and kept."""
    if given:
        return given
    path = storage.resolve(_KEPT)
    if not path.is_file():
        storage.write_atomically(_KEPT, secrets.token_urlsafe(9).encode(), mode=0o600)
    return path.read_text(encoding="utf-8")


@transaction.atomic
def change_password(account: User, password: str, actor: audit.Actor) -> None:
    """Give an account another password; it is written down that, never which."""
    account.set_password(password)
    account.save(update_fields=["password", "updated_at"])
    audit.record(account, "change_password", actor=actor, summary=account.username)


@transaction.atomic
def ensure_demo_accounts(password: str) -> list[str]:
    """Make one account for each role where there is none of its name, with this password; return the names."""
    for role in ROLES:
        account, is_new = User.objects.get_or_create(username=role)
        if is_new:
            account.groups.add(Group.objects.get(name=role))
            audit.record(account, "create_account", new={"username": role, "role": role}, summary="demo account")
        if not account.check_password(password):
            account.set_password(password)
            account.save(update_fields=["password", "updated_at"])
            if not is_new:
                audit.record(account, "change_password", summary=f"{role}, demo account")
    return list(ROLES)
