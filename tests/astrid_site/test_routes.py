"""Every address of the site, opened by everybody: who may not is told so, and a new address must be listed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from catalog.roles import MAY_OPEN_ADMIN, PERMISSIONS
from tests.browsers import onlooker, staff_of
from tests.factories import UserFactory
from tests.routes import ROLES, ROUTES, Route

# The admin asks its own rules at each of its pages; its tests walk them.
_ELSEWHERE = ("admin",)
_CASES = [
    pytest.param(name, route, role, id=f"{name}-{route.method}-{role}")
    for name, routes in sorted(ROUTES.items())
    for route in routes
    for role in ("stranger", *ROLES)
]


def _names(patterns: list, prefix: str = "") -> Iterator[str]:
    for entry in patterns:
        if isinstance(entry, URLResolver):
            if entry.namespace not in _ELSEWHERE:
                space = f"{prefix}{entry.namespace}:" if entry.namespace else prefix
                yield from _names(entry.url_patterns, space)
        elif isinstance(entry, URLPattern):
            yield f"{prefix}{entry.name}" if entry.name else f"an address without a name: {entry.pattern}"


def test_every_address_is_listed_with_those_who_may():
    assert sorted(set(_names(get_resolver().url_patterns))) == sorted(ROUTES)


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "route", "role"), _CASES)
def test_an_address_opens_for_those_who_may_and_for_nobody_else(name: str, route: Route, role: str, empty_data_root):
    client = Client(raise_request_exception=True)
    if role != "stranger":
        user = UserFactory()
        user.groups.add(Group.objects.get(name=role))
        client.force_login(user)
    answer = getattr(client, route.method)(reverse(name, args=route.keys()), route.data)
    is_sent_away = answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
    kept_by = answer.get("Cache-Control", "")
    assert "private" in kept_by or "no-store" in kept_by, "a proxy would keep it for the next who asks"
    if role in route.may:
        assert answer.status_code not in (401, 403, 404, 405), answer.content[:500]
        assert not is_sent_away or name == "logout"
        assert answer.status_code < 500 or name == "readyz"
        if not answer.streaming and b"</html>" in answer.content:
            assert (b"hx-get=" not in answer.content) or b"htmx-2" in answer.content, "its parts would never come"
    elif role == "stranger":
        assert answer.status_code in (401, 403) if route.is_for_clients else is_sent_away
    else:
        assert answer.status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_the_admin_shows_each_role_the_models_of_its_table_and_no_other(role: str):
    client = onlooker(role)
    for model in admin.site._registry:
        names = model._meta
        answer = client.get(reverse(f"admin:{names.app_label}_{names.model_name}_changelist"))
        may = f"{names.app_label}.view_{names.model_name}" in {*PERMISSIONS[role], MAY_OPEN_ADMIN}
        assert answer.status_code == (200 if may else 403), names.label


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["viewer", "curator"])
def test_the_admin_is_shut_to_those_who_do_not_run_the_system(role: str):
    client = staff_of(role)
    for name in ("index", "observations_observation_changelist", "catalog_systemconfig_changelist"):
        assert client.get(reverse(f"admin:{name}")).status_code == 403
