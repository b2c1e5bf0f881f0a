"""Pages of people: one's own account with its tokens and password, nobody else's touched; and the audit log."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import ApiToken, AuditLog, User
from catalog.people import audit
from catalog.people.tokens import issue, verify
from tests.browsers import client_of
from tests.clients import account
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PROFILE, TOKENS = "/profile/", "/profile/tokens/"
OLD, NEW = "an old passphrase 7", "another passphrase 8"


@pytest.fixture
def user() -> User:
    user = account("curator")
    user.set_password(OLD)
    user.save()
    return user


@pytest.fixture
def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def make(browser: Client, **given):
    return browser.post(TOKENS, {"name": "robot", "scopes": ["alerts:read"], "days": "30", **given})


def test_a_token_is_shown_once_and_works(browser, user):
    answer = make(browser, name="<b>robot</b>", scopes=["alerts:read", "validation-events:write"])
    (text,) = set(re.findall(r"astrid_[0-9a-f]{12}_[0-9a-f]{64}", answer.content.decode()))
    token = verify(text)
    assert (token.user, token.name, token.scopes) == (user, "<b>robot</b>", ["alerts:read", "validation-events:write"])
    assert 29.9 < (token.expires_at - timezone.now()) / dt.timedelta(days=1) < 30.1
    assert "no-store" in answer["Cache-Control"]
    page = browser.get(PROFILE).content.decode()
    assert text not in page and token.prefix in page and "&lt;b&gt;robot&lt;/b&gt;" in page


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "a\nb"}, "Give the token a name"),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"scopes": []}, "choose at least one"),
        ({"scopes": ["audit-log:read"]}, "Select a valid choice"),
        ({"days": "5000"}, "Select a valid choice"),
    ],
    ids=str,
)
def test_a_token_that_makes_no_sense_is_refused_and_what_was_typed_is_kept(browser, given, told):
    answer = make(browser, **{"name": "my robot", **given})
    assert answer.status_code == 400 and told in answer.content.decode()
    assert not ApiToken.objects.exists()
    if "name" not in given:
        assert 'value="my robot"' in answer.content.decode()


def test_only_what_ones_role_has_a_use_for_is_offered(browser):
    page = browser.get(PROFILE).content.decode()
    assert 'value="validation-events:write"' in page
    assert 'value="observations:write"' not in page and 'value="audit-log:read"' not in page


def test_a_token_is_revoked_by_its_owner_and_by_nobody_else(browser, user):
    mine, theirs = (issue(who, "robot", ["alerts:read"], audit.MACHINE)[0] for who in (user, account("curator")))
    assert browser.post(f"{TOKENS}{theirs.pk}/revoke/").status_code == 404
    assert browser.get(f"{TOKENS}{mine.pk}/revoke/").status_code == 405, "to look changes nothing"
    answer = browser.post(f"{TOKENS}{mine.pk}/revoke/", follow=True)
    assert "has been revoked" in answer.content.decode()
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert mine.revoked_at is not None and theirs.revoked_at is None
    assert AuditLog.objects.get(action="revoke_token").user == user.username


def test_a_page_shows_ones_own_tokens_only_and_says_what_to_do_without_one(browser, user):
    other, _ = issue(account("curator"), "somebody else's", ["alerts:read"], audit.MACHINE)
    page = browser.get(PROFILE).content.decode()
    assert other.prefix not in page and "Create one below" in page


def test_a_password_is_changed_by_who_knows_the_old_one(browser, user):
    elsewhere = Client()
    elsewhere.force_login(user)
    answer = browser.post(
        "/profile/password/", {"old_password": OLD, "new_password1": NEW, "new_password2": NEW}, follow=True
    )
    assert "Your password has been changed" in answer.content.decode()
    user.refresh_from_db()
    assert user.check_password(NEW)
    assert browser.get(PROFILE).status_code == 200, "this browser stays logged in"
    assert elsewhere.get(PROFILE).status_code == 302, "another does not"
    line = AuditLog.objects.get(action="change_password")
    assert line.user == user.username and NEW not in str(line.__dict__)


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [("wrong", NEW, NEW), (OLD, NEW, "something else 9"), (OLD, "12345678", "12345678"), (OLD, "", "")],
)
def test_a_password_that_cannot_be_changed_so_stays(browser, user, old, new, again):
    answer = browser.post("/profile/password/", {"old_password": old, "new_password1": new, "new_password2": again})
    assert answer.status_code == 400 and 'class="error"' in answer.content.decode()
    user.refresh_from_db()
    assert user.check_password(OLD)
    assert not AuditLog.objects.exists()


# --- The audit log ---


def test_a_line_of_the_audit_log_shows_what_has_changed_and_nothing_else():
    before = {"a": 1, "b": None}
    audit.record(("systemconfig", "k"), "set", actor=audit.MACHINE, old=before, new=before | {"c": 2})
    (line,) = client_of("administrator").get(reverse("catalog:audit")).context["page"].rows
    assert [change["name"] for change in line.changes] == ["c"]


def test_the_audit_log_shows_before_and_after_and_is_narrowed_by_who_and_what():
    ada, bob = UserFactory(username="ada"), UserFactory(username="bob")
    audit.record(("systemconfig", "k"), "set_configuration", actor=audit.Actor(ada), old={"k": 5.0}, new={"k": 8.0})
    audit.record(("observation", "o"), "archive", actor=audit.Actor(bob))
    client = client_of("administrator")
    text = client.get(reverse("catalog:audit"), {"user": "ada"}).content.decode()
    assert "<del>5.0</del> → <ins>8.0</ins>" in text
    for query in ({"user": "bob"}, {"action": "archive"}, {"entity_type": "observation"}, {"entity_id": "o"}):
        rows = client.get(reverse("catalog:audit"), query).context["page"].rows
        assert [line.action for line in rows] == ["archive"]
    later = {"since": "2999-01-01T00:00"}
    assert client.get(reverse("catalog:audit"), later).context["page"].rows == []
