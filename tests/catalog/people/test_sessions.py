"""Sessions: what they hold comes back, until they are over."""

from __future__ import annotations

import datetime as dt
from importlib import import_module

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as OldStore
from django.test import Client
from django.utils import timezone

from catalog.models import LoginSession, User
from catalog.people.sessions import SessionStore
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def kept(**values: object) -> SessionStore:
    session = SessionStore()
    session.update(values)
    session.save()
    return session


def test_the_site_uses_them():
    assert import_module(settings.SESSION_ENGINE).SessionStore is SessionStore


def test_what_is_kept_comes_back_with_one_query(django_assert_num_queries):
    key = kept(a=1, b="two").session_key
    with django_assert_num_queries(1):
        again = SessionStore(key)
        assert (again["a"], again.get("b"), again.session_key) == (1, "two", key)


@pytest.mark.parametrize("end", ["over", "deleted", "forged"])
def test_one_that_is_over_gone_or_was_never_given_holds_nothing_and_gets_another_key(end):
    key = kept(a=1).session_key
    row = LoginSession.objects.get(session_key=key)
    if end == "over":
        LoginSession.objects.update(expire_date=timezone.now() - dt.timedelta(seconds=1))
    elif end == "deleted":
        row.delete()
    else:
        LoginSession.objects.update(session_data=row.session_data[:-3] + "abc")
    again = SessionStore(key)
    assert again.get("a") is None
    if end != "forged":
        assert again.session_key is None
        again["b"] = 2
        again.save()
        assert again.session_key not in (None, key)


def test_who_was_logged_in_before_sessions_told_whose_they_are_stays_so():
    ada, keys = UserFactory(), {}
    for name, user in (("hers", ada), ("gone", UserFactory()), ("nobody", None)):
        old = OldStore()
        if user is not None:
            old[SESSION_KEY], old[BACKEND_SESSION_KEY] = str(user.pk), "catalog.people.backend.Backend"
            old[HASH_SESSION_KEY] = user.get_session_auth_hash()
        old.save()
        keys[name] = old.session_key
    User.objects.exclude(pk=ada.pk).delete()
    import_module("catalog.migrations.0012_people").keep_open_sessions(apps, None)
    (row,) = LoginSession.objects.all()
    assert (row.user, row.session_key) == (ada, keys["hers"])
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = keys["hers"] or ""
    assert client.get("/profile/").status_code == 200
