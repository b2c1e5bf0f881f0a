"""Nobody makes more of themselves, or of a friend, by way of the admin; and somebody is left in charge."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection, transaction
from django.test import Client

from catalog import roles
from catalog.models import ApiToken, AuditLog, User
from catalog.people import audit, standing
from catalog.people.tokens import issue
from tests.browsers import page, said, staff_of
from tests.clients import account
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-47"


@pytest.fixture
def administrator() -> Client:
    return staff_of("administrator", username="ada")


@pytest.fixture
def root() -> User:
    return UserFactory(username="root", is_superuser=True)


@pytest.fixture
def archivist() -> User:
    """Return an account that may do one thing that no administrator may."""
    user = account("viewer")
    user.user_permissions.add(Permission.objects.get(codename="delete_auditlog"))
    return user


def form(user: User, **values: object) -> dict[str, object]:
    return {"username": user.username, "first_name": "", "last_name": "", "email": "", "is_active": "on"} | values


def keys(*names: str) -> list[int]:
    return list(Group.objects.filter(name__in=names).values_list("pk", flat=True))


def new_password() -> dict[str, str]:
    return {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD, "set-password": "1"}


@pytest.mark.parametrize("who", ["root", "archivist", "sleeping root"])
def test_an_account_above_ones_own_is_shown_and_out_of_reach_at_every_door(
    administrator: Client, root: User, archivist: User, who: str
):
    User.objects.filter(pk=root.pk).update(is_active=who != "sleeping root")
    above = archivist if who == "archivist" else root
    before = User.objects.values().get(pk=above.pk)
    change = page("catalog.user", "change", above.pk)
    assert administrator.get(change).status_code == 200
    answers = [
        administrator.post(change, form(above, username="mine", email="ada@example.org")),
        administrator.get(f"/admin/catalog/user/{above.pk}/password/"),
        administrator.post(f"/admin/catalog/user/{above.pk}/password/", new_password()),
        administrator.post(page("catalog.user", "delete", above.pk), {"post": "yes"}),
        administrator.post(
            page("catalog.user"), {"action": "delete_selected", "_selected_action": [above.pk], "post": "yes"}
        ),
    ]
    assert [answer.status_code for answer in answers] == [403] * 5
    assert User.objects.values().get(pk=above.pk) == before


def test_an_account_of_the_same_rank_is_in_reach_and_so_is_ones_own(administrator: Client):
    peer = account("administrator")
    assert administrator.post(f"/admin/catalog/user/{peer.pk}/password/", new_password()).status_code == 302
    administrator.post(page("catalog.user", "change", peer.pk), form(peer, groups=keys("viewer")))
    assert [group.name for group in peer.groups.all()] == ["viewer"]
    me = User.objects.get(username="ada")
    administrator.post(page("catalog.user", "change", me.pk), form(me, email="a@b.org", groups=keys("administrator")))
    assert User.objects.get(username="ada").email == "a@b.org"


def test_nobody_gives_away_a_role_above_their_own(administrator: Client):
    beyond = Group.objects.create(name="archivists")
    beyond.permissions.add(Permission.objects.get(codename="delete_auditlog"))
    vera = UserFactory(username="vera")
    url = page("catalog.user", "change", vera.pk)
    assert "archivists" not in administrator.get(url).content.decode()
    answer = administrator.post(url, form(vera, groups=[beyond.pk, *keys("viewer")]))
    assert answer.status_code == 200, "the form comes back"
    assert not vera.groups.exists()
    assert administrator.post(page("auth.group", "change", beyond.pk), {"name": "mine"}).status_code == 403
    assert administrator.post(page("auth.group", "delete", beyond.pk), {"post": "yes"}).status_code == 403


def test_a_role_is_made_of_what_the_project_asks_for_and_ones_own_role_holds(administrator: Client, root: User):
    fields = administrator.get(page("auth.group", "add")).context["adminform"].form.fields
    offered = {f"{row.content_type.app_label}.{row.codename}" for row in fields["permissions"].queryset.order_by("pk")}
    assert offered == roles.PERMISSIONS["administrator"]
    more = Permission.objects.get(codename="delete_auditlog")
    administrator.post(page("auth.group", "add"), {"name": "mine", "permissions": [more.pk]})
    assert not Group.objects.filter(name="mine").exists()


def test_what_a_role_had_beyond_that_stays_when_a_superuser_saves_it(root: User):
    role = Group.objects.create(name="archivists")
    role.permissions.add(Permission.objects.get(codename="delete_auditlog"))
    client = Client()
    client.force_login(root)
    held = list(role.permissions.values_list("pk", flat=True))
    client.post(page("auth.group", "change", role.pk), {"name": "archive", "permissions": held})
    assert Group.objects.get(name="archive").permissions.get().codename == "delete_auditlog"


def test_tokens_of_those_above_are_revoked_by_themselves(administrator: Client, root: User):
    for user in (root, account("operator")):
        issue(user, "poller", ["alerts:read"], audit.MACHINE)
    every = list(ApiToken.objects.values_list("pk", flat=True))
    answer = administrator.post(page("catalog.apitoken"), {"action": "revoke", "_selected_action": every})
    assert "“poller” belongs to root, who may do more than you: ask them." in said(answer)
    assert {token.user.username for token in ApiToken.objects.filter(revoked_at=None)} == {"root"}


def _take_roles(user: User) -> tuple[str, dict[str, object]]:
    return page("catalog.user", "change", user.pk), form(user, groups=keys("viewer"))


def _disable(user: User) -> tuple[str, dict[str, object]]:
    return page("catalog.user", "change", user.pk), form(user, groups=keys("administrator"), is_active="")


def _delete(user: User) -> tuple[str, dict[str, object]]:
    return page("catalog.user", "delete", user.pk), {"post": "yes"}


def _delete_from_the_list(user: User) -> tuple[str, dict[str, object]]:
    return page("catalog.user"), {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"}


def _take_the_password(user: User) -> tuple[str, dict[str, object]]:
    return f"/admin/catalog/user/{user.pk}/password/", {"usable_password": "false", "unset-password": "1"}


def _empty_the_role(_: User) -> tuple[str, dict[str, object]]:
    return page("auth.group", "change", Group.objects.get(name="administrator").pk), {"permissions": []}


@pytest.mark.parametrize(
    "removal", [_take_roles, _disable, _delete, _delete_from_the_list, _take_the_password, _empty_the_role]
)
def test_the_last_who_may_keep_the_accounts_stays_in_charge(administrator: Client, removal):
    ada = User.objects.get(username="ada")
    ada.set_password(PASSWORD)
    ada.save()
    administrator.force_login(ada)
    asleep = account("administrator")
    User.objects.filter(pk=asleep.pk).update(is_active=False)
    address, data = removal(ada)
    lines = AuditLog.objects.count()
    text = administrator.post(address, data, follow=True).content.decode()
    assert "Nobody would be left who may keep the accounts: give another account the role first." in text
    assert "successfully" not in text and "was disabled" not in text
    ada = User.objects.get(username="ada")
    assert ada.is_active and ada.has_usable_password() and ada.has_perm(roles.MAY_KEEP_ACCOUNTS)
    assert AuditLog.objects.count() == lines, "nothing is written down that did not happen"
    User.objects.filter(pk=asleep.pk).update(is_active=True)
    if removal is not _empty_the_role:
        administrator.post(address, data)
        changed = User.objects.filter(username="ada").first()
        assert changed is None or not (changed.has_perm(roles.MAY_KEEP_ACCOUNTS) and changed.has_usable_password())


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_remove_each_other_at_once():
    both = [account("administrator") for _ in range(2)]
    done = Barrier(2, timeout=60.0)

    def remove(user: User) -> str:
        try:
            with transaction.atomic():
                user.groups.clear()
                done.wait()
                standing.require_somebody_in_charge()
        except standing.NobodyLeft:
            return "refused"
        finally:
            connection.close()
        return "removed"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, both)) == ["refused", "removed"]
    assert Group.objects.get(name="administrator").user_set.count() == 1
