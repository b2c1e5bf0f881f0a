"""Sessions: what they hold comes back, until they are over."""

from __future__ import annotations

import datetime as dt
from importlib import import_module

import pytest
from django.conf import settings
from django.utils import timezone

from catalog.models import LoginSession
from catalog.people.sessions import SessionStore

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
