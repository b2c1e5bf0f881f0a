"""Who stands above whom: nobody changes an account, or hands out a role, that may do what they may not."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet

from catalog.models import User
from catalog.roles import MAY_KEEP_ACCOUNTS, MAY_OPEN_ADMIN, PERMISSIONS, ROLES

# One row that every removal of an administrator waits for: of two at once the second sees what the first has done.
_TURN = "administrator"


class NobodyLeft(Exception):
    """After this nobody could keep the accounts any more."""


def is_above(account: User, actor: User) -> bool:
    """Say whether an account may do what the actor may not; a disabled one counts as what it would be again."""
    if actor.is_superuser:
        return False
    rows = Permission.objects.filter(Q(group__user=account) | Q(user=account))
    return account.is_superuser or not _names(rows) <= actor.get_all_permissions()


def is_role_above(role: Group, actor: User) -> bool:
    """Say whether a role may do what the actor may not."""
    return not actor.is_superuser and not _names(role.permissions.all()) <= actor.get_all_permissions()


def is_named(group: Group) -> bool:
    """Say whether rows of the domain name a group, such as a survey whose team it is: without it all would see them."""
    return not unnamed(Group.objects.filter(pk=group.pk)).exists()


def unnamed(groups: QuerySet[Group]) -> QuerySet[Group]:
    """Return those of some groups that no row of the domain names."""
    others = (one for one in Group._meta.related_objects if one.many_to_many and one.related_model is not User)
    return groups.filter(**{f"{one.name}__isnull": True for one in others})


def told_apart(groups: Iterable[Group]) -> tuple[list[Group], list[Group]]:
    """Return the roles among groups, which say what a person may do, and the teams, which say of which surveys."""
    found = sorted(groups, key=lambda group: group.name)
    return [one for one in found if one.name in ROLES], [one for one in found if one.name not in ROLES]


def in_words(account: User) -> dict[str, str]:
    """Return the names of an account's roles and of its teams, for pages."""
    roles, teams = told_apart(account.groups.all())
    return {"roles": ", ".join(one.name for one in roles), "teams": ", ".join(one.name for one in teams)}


def roles_open_to(actor: User) -> QuerySet[Group]:
    """Return the roles that the actor may hand out."""
    open_to_them = [role.pk for role in Group.objects.all() if not is_role_above(role, actor)]
    return Group.objects.filter(pk__in=open_to_them).order_by("name")


def permissions_open_to(actor: User, role: Group | None) -> QuerySet[Permission]:
    """Return what the actor may put into a role: what the project asks for, and what the role has already."""
    rows = Permission.objects.select_related("content_type")
    names = frozenset().union(*PERMISSIONS.values()) & actor.get_all_permissions()
    open_to_them = [row.pk for row in rows if _name(row) in names]
    had = role.permissions.values_list("pk", flat=True) if role is not None else ()
    return rows.filter(pk__in=[*open_to_them, *had])


def require_somebody_in_charge(but: User | None = None) -> None:
    """Raise NobodyLeft where nobody, but for one account, could log in and keep the accounts.

    Call it at the end of the transaction.
    """
    list(Group.objects.select_for_update().filter(name=_TURN))
    accounts = User.objects.filter(is_active=True).exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    accounts = accounts.exclude(pk=but.pk) if but else accounts
    in_charge = accounts.filter(_may(MAY_OPEN_ADMIN)).filter(_may(MAY_KEEP_ACCOUNTS))
    if not in_charge.exists():
        raise NobodyLeft("Nobody would be left who may keep the accounts: give another account the role first.")


def _may(name: str) -> Q:
    app, codename = name.split(".")
    rows = Permission.objects.filter(content_type__app_label=app, codename=codename)
    return Q(is_superuser=True) | Q(groups__permissions__in=rows) | Q(user_permissions__in=rows)


def _names(rows: QuerySet[Permission]) -> set[str]:
    return {_name(row) for row in rows.select_related("content_type")}


def _name(row: Permission) -> str:
    return f"{row.content_type.app_label}.{row.codename}"
