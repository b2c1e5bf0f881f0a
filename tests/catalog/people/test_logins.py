"""Where people are logged in is listed with browser and address, and what is ended is over at once."""

from __future__ import annotations

import datetime as dt

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.sessions.backends.base import UpdateError
from django.test import Client
from django.utils import timezone

from catalog.models import ApiToken, AuditLog, LoginSession, User
from catalog.people import audit, factors
from catalog.people.tokens import issue
from catalog.templatetags.people import browser
from tests.browsers import client_of, page, said
from tests.clients import account
from tests.factories import LoginSessionFactory, UserFactory

pytestmark = pytest.mark.django_db
LOG_IN, PROFILE = "/accounts/login/", "/profile/"
PASSWORD = "correct-horse-47"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0"


@pytest.fixture
def vera() -> User:
    user = account("viewer")
    user.username = "vera"
    user.set_password(PASSWORD)
    user.save()
    return user


def log_in(agent: str = FIREFOX, address: str = "192.0.2.7") -> Client:
    client = Client(REMOTE_ADDR=address, headers={"user-agent": agent})
    assert client.post(LOG_IN, {"username": "vera", "password": PASSWORD}).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get(PROFILE).status_code == 200


def session_of(client: Client) -> LoginSession:
    return LoginSession.objects.get(session_key=client.session.session_key)


def test_a_log_in_is_listed_with_its_browser_and_address_and_never_its_key(vera: User):
    here, there = log_in(), log_in(EDGE, "198.51.100.9")
    text = here.get(PROFILE).content.decode()
    assert "Firefox on Linux" in text and "Edge on Windows" in text and "198.51.100.9" in text
    for client in (here, there):
        assert client.session.session_key not in text
    assert text.count("this browser") == 1


def test_when_somebody_was_last_seen_is_noted_once_in_five_minutes(vera: User, django_assert_num_queries):
    client = log_in()
    long_ago = timezone.now() - dt.timedelta(minutes=4)
    LoginSession.objects.update(seen_at=long_ago)
    client.get("/healthz")
    client.get(PROFILE)
    assert session_of(client).seen_at == long_ago
    LoginSession.objects.update(seen_at=long_ago - dt.timedelta(minutes=2))
    client.get(PROFILE, REMOTE_ADDR="192.0.2.99")
    row = session_of(client)
    assert timezone.now() - row.seen_at < dt.timedelta(minutes=1) and row.ip_address == "192.0.2.99"


def test_a_session_is_ended_at_once_and_nobody_ends_that_of_another(vera: User):
    here, there = log_in(), log_in(EDGE)
    stranger = LoginSessionFactory()
    assert here.get(f"/profile/sessions/{session_of(there).pk}/end/").status_code == 405
    assert is_in(there)
    here.post(f"/profile/sessions/{session_of(there).pk}/end/")
    assert is_in(here) and not is_in(there)
    assert here.post(f"/profile/sessions/{stranger.pk}/end/").status_code == 404
    line = AuditLog.objects.get(action="end_session")
    assert (line.user, line.old_values["user_agent"]) == ("vera", EDGE)


def test_a_session_that_was_ended_is_not_written_again_by_a_request_under_way(vera: User):
    client = log_in()
    session = client.session
    assert session["_auth_user_id"] == str(vera.pk), "the request has read it"
    LoginSession.objects.all().delete()
    session["late"] = True
    with pytest.raises(UpdateError):
        session.save()
    assert not LoginSession.objects.exists()


def test_all_others_are_ended_by_a_press_and_by_a_new_password(vera: User):
    here, there = log_in(), log_in(EDGE)
    here.post("/profile/sessions/end/")
    assert is_in(here) and not is_in(there)
    there = log_in(EDGE)
    new = {"old_password": PASSWORD, "new_password1": "another-horse-48", "new_password2": "another-horse-48"}
    here.post("/profile/password/", new)
    assert is_in(here) and not is_in(there)
    assert LoginSession.objects.filter(user=vera).count() == 1
    assert session_of(here).user_agent == FIREFOX, "the new key is of the same browser"


@pytest.mark.parametrize(
    ("text", "name"),
    [(FIREFOX, "Firefox on Linux"), (EDGE, "Edge on Windows"), ("curl/8.5", "curl/8.5"), ("", "unknown")],
)
def test_a_browser_is_told_in_few_words(text: str, name: str):
    assert browser(text) == name


# --- Everybody's, for administrators ---


def test_an_administrator_sees_and_ends_everybodys_sessions_and_tokens(vera: User):
    here, there = log_in(), log_in(EDGE)
    token, _ = issue(vera, "poller", ["alerts:read"], audit.MACHINE)
    ada = client_of("administrator", username="ada")
    assert f"/people/{vera.pk}/" in ada.get("/people/", {"who": "ver"}).content.decode()
    text = ada.get(f"/people/{vera.pk}/").content.decode()
    assert "Edge on Windows" in text and "poller" in text
    assert here.session.session_key not in text
    ada.post(f"/people/sessions/{session_of(there).pk}/end/")
    assert is_in(here) and not is_in(there)
    ada.post(f"/people/{vera.pk}/sessions/end/")
    assert not is_in(here)
    ada.post(f"/people/tokens/{token.pk}/revoke/")
    assert ApiToken.objects.get().revoked_at is not None
    assert {line.user for line in AuditLog.objects.filter(action__startswith="end_session")} == {"ada"}


def test_an_administrator_who_ends_their_own_everywhere_stays_in_here():
    ada = client_of("administrator", username="ada")
    me = User.objects.get(username="ada")
    LoginSessionFactory(user=me)
    ada.post(f"/people/{me.pk}/sessions/end/")
    assert ada.get("/people/").status_code == 200 and LoginSession.objects.filter(user=me).count() == 1


def test_a_lost_factor_is_taken_off_by_an_administrator_but_not_of_those_above_nor_ones_own(vera: User):
    ada = client_of("administrator", username="ada")
    root, me = UserFactory(is_superuser=True), User.objects.get(username="ada")
    for who in (vera, root, me):
        TOTP.activate(who, factors.new_secret())
        factors.ensure_recovery_codes(who)
    codes = [ada.post(f"/people/{who.pk}/second-factor/remove/").status_code for who in (vera, root, me)]
    assert codes == [302, 403, 403]
    assert [factors.has(who) for who in (vera, root, me)] == [False, True, True]
    line = AuditLog.objects.get(action="remove_second_factor")
    assert (line.user, line.entity_id) == ("ada", str(vera.pk))
    text = ada.get(f"/people/{root.pk}/").content.decode()
    assert "may do more than you" in text and "Remove the second factor" not in text


def test_sessions_and_tokens_of_those_above_are_out_of_reach():
    ada = client_of("administrator")
    root = UserFactory(is_superuser=True, username="root")
    session = LoginSessionFactory(user=root)
    token, _ = issue(root, "poller", ["alerts:read"], audit.MACHINE)
    addresses = (
        f"/people/sessions/{session.pk}/end/", f"/people/{root.pk}/sessions/end/", f"/people/tokens/{token.pk}/revoke/",
    )  # fmt: skip
    assert [ada.post(address).status_code for address in addresses] == [403] * 3
    answer = ada.post(page("catalog.loginsession"), {"action": "end", "_selected_action": [session.pk]})
    assert said(answer) == ["root may do more than you: ask them."]
    assert LoginSession.objects.filter(user=root).exists()


def test_the_admin_lists_sessions_links_and_factors_without_their_secrets_and_ends_sessions(vera: User):
    there = log_in()
    secret = factors.new_secret()
    TOTP.activate(vera, secret)
    ada = client_of("administrator")
    session = session_of(there)
    text = ada.get(page("catalog.loginsession", "change", session.pk)).content.decode()
    assert "192.0.2.7" in text and session.session_key not in text
    factor = page("mfa.authenticator", "change", factors.of(vera)[0].pk)
    assert secret not in ada.get(factor).content.decode() and ada.post(factor, {"type": "totp"}).status_code == 403
    ada.post(page("catalog.loginsession"), {"action": "end", "_selected_action": [session.pk]})
    assert not is_in(there)


def test_an_account_is_deleted_with_its_sessions_links_and_factors(vera: User):
    log_in()
    TOTP.activate(vera, factors.new_secret())
    ada = client_of("administrator")
    assert ada.post(page("catalog.user", "delete", vera.pk), {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=vera.pk).exists()
