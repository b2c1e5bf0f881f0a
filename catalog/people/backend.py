"""Accounts with what they may do, read in one go: every request asks for both."""

from __future__ import annotations

import json
from collections.abc import Iterable
from uuid import UUID

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import Model

from catalog.hiding import hidden_sql
from catalog.models import ApiToken, User

# What a person may themselves, and what their groups may.
_PERMISSIONS = """
SELECT DISTINCT kind.app_label || '.' || permission.codename
FROM auth_permission permission
JOIN django_content_type kind ON kind.id = permission.content_type_id
WHERE permission.id IN (
    SELECT permission_id FROM catalog_user_user_permissions WHERE user_id = %(user)s
    UNION ALL
    SELECT allowed.permission_id FROM auth_group_permissions allowed
    JOIN catalog_user_groups member ON member.group_id = allowed.group_id WHERE member.user_id = %(user)s
)
"""
# With that, what is hidden from them.
_ALLOWED = f"ARRAY({_PERMISSIONS}), ARRAY({{hidden}})"
_FIELDS = [field.attname for field in User._meta.concrete_fields]
_ACCOUNT = f"SELECT {', '.join(_FIELDS)}, {_ALLOWED} FROM catalog_user WHERE id = %(user)s"  # noqa: S608
_TOKEN_FIELDS = [field.attname for field in ApiToken._meta.concrete_fields]
_TOKEN = f"""
SELECT {", ".join(f"token.{name}" for name in _TOKEN_FIELDS)}, {", ".join(f"account.{name}" for name in _FIELDS)},
    {_ALLOWED.replace("%(user)s", "account.id")}
FROM catalog_apitoken token JOIN catalog_user account ON account.id = token.user_id
WHERE token.prefix = %(prefix)s
"""  # noqa: S608
_KEPT = "_perm_cache"


class Backend(ModelBackend):
    """Django's own, whose three queries for an account cost a request of triage a third of its time."""

    def get_user(self, user_id: UUID) -> User | None:
        """Return the account of a session; None where it is gone, or no longer active."""
        with connection.cursor() as cursor:
            cursor.execute(_ACCOUNT.format(hidden=hidden_sql()), {"user": user_id})
            found = cursor.fetchone()
        if found is None:
            return None
        *values, permitted, hidden = found
        user: User = User.from_db(connection.alias, _FIELDS, values)
        if not self.user_can_authenticate(user):
            return None
        _note(user, permitted, hidden)
        return user

    def get_all_permissions(self, user_obj: User | AnonymousUser, obj: Model | None = None) -> set[str]:
        """Return all that an account may do, as "app.codename"; kept with the account, as Django does."""
        if not isinstance(user_obj, User) or not user_obj.is_active or user_obj.is_superuser or obj is not None:
            return super().get_all_permissions(user_obj, obj)
        kept: set[str] | None = getattr(user_obj, _KEPT, None)
        if kept is None:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT {_ALLOWED}".format(hidden=hidden_sql()), {"user": user_obj.pk})
                permitted, hidden = cursor.fetchone()
            kept = _note(user_obj, permitted, hidden)
        return kept


def token_with_owner(prefix: str) -> ApiToken | None:
    """Return a token by how it begins, with its account and what that may do; None where there is none."""
    with connection.cursor() as cursor:
        of_account = hidden_sql().replace("%(user)s", "account.id")
        cursor.execute(_TOKEN.format(hidden=of_account), {"prefix": prefix})
        found = cursor.fetchone()
    if found is None:
        return None
    *values, permitted, hidden = found
    token = ApiToken.from_db(connection.alias, _TOKEN_FIELDS, values[: len(_TOKEN_FIELDS)])
    token.scopes = json.loads(values[_TOKEN_FIELDS.index("scopes")])
    token.user = User.from_db(connection.alias, _FIELDS, values[len(_TOKEN_FIELDS) :])
    _note(token.user, permitted, hidden)
    return token


def _note(user: User, permitted: Iterable[str], hidden: Iterable[UUID]) -> set[str]:
    """Keep with an account what was read with it; one that may do everything is asked nothing."""
    allowed = set(permitted)
    if not user.is_superuser:
        vars(user)[_KEPT] = allowed
        user.hidden_surveys = frozenset(hidden)
    return allowed
