from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission

from catalog import roles
from catalog.models import Record
from catalog.people.accounts import ROLES as DEMO_ROLES
from tests.factories import UserFactory

OWN_MODELS = sorted(model._meta.label_lower for model in apps.get_models() if issubclass(model, Record))


def test_every_model_is_shown_to_somebody_and_only_known_models_are_named():
    named = [*roles.SHOWN_TO_ALL, *roles.SHOWN_TO_EXPERTS, *roles.SHOWN_TO_OPERATORS, *roles.SHOWN_TO_ADMINISTRATORS]
    assert sorted(named) == sorted([*OWN_MODELS, "auth.group", "axes.accessattempt", "mfa.authenticator"])


def test_the_demo_has_an_account_for_each_role():
    assert DEMO_ROLES == roles.ROLES


def test_each_role_has_what_the_one_below_it_sees():
    viewer, curator, expert, operator, administrator = (roles.PERMISSIONS[role] for role in roles.ROLES)
    assert viewer < curator < expert < administrator
    assert viewer < operator < administrator


@pytest.mark.django_db
@pytest.mark.parametrize("role", roles.ROLES)
def test_the_migrations_give_each_role_what_the_table_says(role: str):
    held = Permission.objects.filter(group__name=role).select_related("content_type")
    assert {f"{p.content_type.app_label}.{p.codename}" for p in held} == roles.PERMISSIONS[role]


@pytest.mark.django_db
def test_no_permission_was_made_that_its_model_does_not_have():
    known = {
        f"{model._meta.app_label}.{action}_{model._meta.model_name}"
        for model in apps.get_models()
        for action in model._meta.default_permissions
    }
    stored = {f"{p.content_type.app_label}.{p.codename}" for p in Permission.objects.select_related("content_type")}
    assert stored == known


@pytest.mark.django_db
def test_granting_again_changes_nothing_and_takes_nothing_that_somebody_added():
    viewers = Group.objects.get(name="viewer")
    extra = Permission.objects.get(codename="view_auditlog")
    viewers.permissions.add(extra)
    before = set(viewers.permissions.all())
    roles.grant(apps)
    assert set(viewers.permissions.all()) == before
    assert Group.objects.count() == len(roles.ROLES)


@pytest.mark.django_db
def test_an_operator_orders_work_but_sees_neither_configuration_nor_accounts():
    operator = UserFactory(username="oleg")
    operator.groups.add(Group.objects.get(name="operator"))
    assert operator.has_perms([roles.MAY_ORDER_JOBS, roles.MAY_ORDER_FRAMES, "catalog.view_jobattempt"])
    refused = [
        roles.MAY_PROMOTE_REFERENCES,
        roles.MAY_ACTIVATE_MODELS,
        "catalog.view_user",
        "catalog.view_systemconfig",
    ]
    assert not any(operator.has_perm(name) for name in refused)
