"""What accounts may do is what Django says, and takes one query."""

from __future__ import annotations

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.test import Client

from catalog.ids import uuid7
from catalog.models import User
from catalog.people.backend import Backend
from tests.clients import account

pytestmark = pytest.mark.django_db


def again(user: User) -> User:
    """Return the account without what it remembers."""
    return User.objects.get(pk=user.pk)


@pytest.mark.parametrize("role", ["viewer", "curator", "expert", "operator", "administrator"])
def test_each_role_may_what_django_says(role):
    user = account(role)
    user.user_permissions.add(Permission.objects.get(codename="delete_session"))
    expected = ModelBackend().get_all_permissions(again(user))
    assert "sessions.delete_session" in expected
    assert Backend().get_all_permissions(again(user)) == expected


def test_several_groups_are_added_up_and_asked_for_once(django_assert_num_queries):
    user = account("viewer")
    user.groups.add(Group.objects.get(name="curator"))
    fresh = again(user)
    with django_assert_num_queries(1):
        assert fresh.has_perm("curation.add_validationevent")
        assert fresh.has_perm("detection.view_detection")
        assert not fresh.has_perm("catalog.delete_user")


def test_a_session_finds_its_account_with_what_it_may_do_by_one_query(django_assert_num_queries):
    user = account("curator")
    with django_assert_num_queries(1):
        found = Backend().get_user(user.pk)
        assert found == user and found.username == user.username
        assert found.has_perm("curation.add_validationevent") and not found.has_perm("catalog.delete_user")
    assert found.get_all_permissions() == ModelBackend().get_all_permissions(again(user))
    user.is_superuser = True
    user.save()
    everything = Backend().get_user(user.pk)
    assert everything is not None and everything.has_perm("catalog.delete_user")
    user.is_active = False
    user.save()
    assert Backend().get_user(user.pk) is None
    assert Backend().get_user(uuid7()) is None


def test_who_is_shut_out_may_nothing_and_a_superuser_everything():
    user = account("curator")
    user.is_active = False
    user.save()
    assert Backend().get_all_permissions(again(user)) == set() == Backend().get_all_permissions(AnonymousUser())
    user.is_active = user.is_superuser = True
    user.save()
    assert Backend().get_all_permissions(again(user)) == ModelBackend().get_all_permissions(again(user))


def test_a_request_for_another_host_is_refused_with_a_page():
    answer = Client().get("/", headers={"host": "elsewhere.example"})
    assert answer.status_code == 400
    assert b"<h1>" in answer.content
