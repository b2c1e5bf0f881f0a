"""Tokens of programs: shown once, kept as a hash, and no more than their owner may."""

from __future__ import annotations

import datetime as dt
import io
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from catalog.models import ApiToken, AuditLog
from catalog.people import audit
from catalog.people.tokens import RequestRefused, TokenRefused, issue, revoke, verify
from catalog.web.rest import throttling
from tests.clients import account, client_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
ALERTS = "/api/v1/alerts/"


def made(user=None, scopes=("alerts:read",), **more) -> tuple[ApiToken, str]:
    return issue(user or UserFactory(), "poller", scopes, audit.MACHINE, **more)


def test_a_token_is_recognised_and_stands_nowhere_in_clear():
    token, text = made()
    assert verify(text).pk == token.pk
    secret = text.removeprefix(token.prefix)
    stored = [str(value) for value in ApiToken.objects.values_list().get()]
    logged = [str(value) for row in AuditLog.objects.values_list() for value in row]
    assert len(bytes.fromhex(secret.removeprefix("_"))) == 32
    assert not any(secret in value for value in (*stored, *logged))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t[:-1],
        lambda t: t[:-1] + ("0" if t[-1] != "0" else "1"),
        lambda t: t + "0",
        lambda t: "",
        lambda t: t[:19],
        lambda t: t.upper(),
        lambda t: t.replace("_", "\0"),
        lambda t: "é" * len(t),
    ],
)
def test_what_is_not_the_whole_token_is_not_known(spoil):
    _, text = made()
    with pytest.raises(TokenRefused) as refusal:
        verify(spoil(text))
    assert refusal.value.code == "token_unknown"


def test_a_token_opens_nothing_after_it_was_revoked_expired_or_its_account_disabled():
    token, text = made()
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    with pytest.raises(TokenRefused, match="expired"):
        verify(text)
    assert revoke(token, audit.MACHINE)
    assert not revoke(token, audit.MACHINE), "a second time changes nothing"
    with pytest.raises(TokenRefused, match="revoked"):
        verify(text)
    user = UserFactory()
    _, other = made(user)
    user.is_active = False
    user.save()
    with pytest.raises(TokenRefused, match="disabled"):
        verify(other)


def test_only_who_holds_a_true_token_is_told_that_it_has_ended():
    token, _ = made()
    revoke(token, audit.MACHINE)
    with pytest.raises(TokenRefused) as refusal:
        verify(token.prefix + "_" + "0" * 64)
    assert refusal.value.code == "token_unknown"


def test_use_is_noted_to_the_minute_and_not_at_each_request(django_assert_num_queries):
    token, text = made()
    with django_assert_num_queries(2):
        verify(text)
    with django_assert_num_queries(1):
        verify(text)
    ApiToken.objects.update(last_used_at=timezone.now() - dt.timedelta(minutes=2))
    verify(text)
    token.refresh_from_db()
    assert timezone.now() - token.last_used_at < dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"scopes": ["alerts:eat"]}, "no scope alerts:eat"),
        ({"scopes": []}, "choose at least one"),
        ({"days": 0}, "for 1 to 730 days"),
        ({"days": 731}, "for 1 to 730 days"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(given, reason):
    with pytest.raises(RequestRefused, match=reason):
        made(**given)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\0b", "a\nb"])
def test_a_name_that_says_nothing_is_refused(name):
    with pytest.raises(RequestRefused, match="Give the token a name"):
        issue(UserFactory(), name, ["alerts:read"], audit.MACHINE)


def test_making_and_revoking_leave_lines():
    user = UserFactory()
    token, _ = issue(user, "poller", ["alerts:read"], audit.Actor(user, "192.0.2.7", "Browser"))
    revoke(token, audit.Actor(user))
    lines = AuditLog.objects.filter(entity_id=str(token.pk)).order_by("created_at")
    assert [(line.action, line.user) for line in lines] == [
        ("issue_token", user.username),
        ("revoke_token", user.username),
    ]
    assert lines[0].new_values["scopes"] == ["alerts:read"]
    assert lines[0].ip_address == "192.0.2.7"


def test_the_command_prints_one_token_and_nothing_else():
    user = account("viewer")
    output, remarks = io.StringIO(), io.StringIO()
    call_command(
        "issue_token",
        user.username,
        "--scopes",
        "alerts:read",
        "observations:write",
        "--days",
        "3",
        stdout=output,
        stderr=remarks,
    )
    token = verify(output.getvalue().strip())
    assert (token.user, token.scopes) == (user, ["alerts:read", "observations:write"])
    assert 2.9 < (token.expires_at - timezone.now()) / dt.timedelta(days=1) < 3.1
    assert "does not include: observations:write" in remarks.getvalue()


@pytest.mark.parametrize(("user", "scope"), [("nobody", "alerts:read"), ("ada", "alerts")])
def test_the_command_says_what_is_wrong(user, scope):
    UserFactory(username="ada")
    with pytest.raises(CommandError, match="There is no"):
        call_command("issue_token", user, "--scopes", scope)


# --- What a token opens ---
def test_without_a_token_or_with_a_wrong_one_a_client_is_told_401_and_how(client):
    answer = client.get(ALERTS)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"] == 'Token realm="AstrID", Bearer realm="AstrID"'
    assert "Authorization: Bearer astrid_" in answer.json()["detail"]
    answer = client.get(ALERTS, headers={"Authorization": "Token x"})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_unknown")
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("word", ["Token", "token", "Bearer", "bearer", "BEARER", "Bearer "])
def test_a_token_is_shown_after_either_word(client, word):
    _, text = made(account("viewer"))
    assert client.get(ALERTS, headers={"Authorization": f"{word} {text}"}).status_code == 200


@pytest.mark.parametrize("spoil", [lambda text: text, lambda text: f" {text}", lambda text: text[:-1]])
def test_a_token_without_the_word_is_refused_with_the_hint(client, spoil):
    _, text = made(account("viewer"))
    answer = client.get(ALERTS, headers={"Authorization": spoil(text)})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_without_word")
    assert "Put the word Bearer, or Token, before the token" in answer.json()["detail"]


def test_a_password_that_a_proxy_asks_for_does_not_shut_out_a_session(client):
    client.force_login(account("viewer"))
    assert client.get(ALERTS, headers={"Authorization": "Basic dmVyYTpzZXNhbWU="}).status_code == 200


def test_revoking_a_token_ends_it_at_once():
    user = account("viewer")
    token, text = made(user)
    headers = {"Authorization": f"Token {text}"}
    client = client_of(user)
    assert client.get(ALERTS, headers=headers).status_code == 200
    revoke(token, audit.MACHINE)
    assert client.get(ALERTS, headers=headers).json()["code"] == "token_revoked"


def test_a_token_does_only_what_its_scopes_name():
    client = client_of("administrator", ["alerts:read"])
    assert client.get(ALERTS).status_code == 200
    answer = client.get("/api/v1/detections/")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_lacks")
    assert "detections:read" in answer.json()["detail"]


def test_a_token_never_can_more_than_its_owner():
    client = client_of("viewer")
    for address in ("/api/v1/audit-log/", "/api/v1/system-config/"):
        assert client.get(address).json()["code"] == "role_lacks"
    for address in ("/api/v1/observations/", "/api/v1/validation-events/"):
        answer = client.post(address, {}, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (403, "role_lacks")


def test_a_role_that_is_taken_away_is_taken_from_its_tokens_too():
    user = account("curator")
    client = client_of(user)
    assert client.get(ALERTS).status_code == 200
    user.groups.clear()
    assert client.get(ALERTS).json()["code"] == "role_lacks"


def test_a_session_changes_nothing_without_its_csrf_token():
    user = account("curator")
    client = type(client_of(user))(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.get(ALERTS).status_code == 200
    answer = client.post("/api/v1/validation-events/", {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


# --- How often ---
@pytest.fixture
def stopped_clock(monkeypatch):
    """Counts are of whole minutes and hours: none ends within a test."""
    monkeypatch.setattr(throttling, "time", SimpleNamespace(time=lambda: 1_700_000_000.0))


def test_who_asks_too_often_is_told_for_how_long_to_wait(settings, stopped_clock):
    settings.ASTRID_API_RATE = "3/hour"
    user = account("viewer")
    client = client_of(user)
    assert [client.get(ALERTS).status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = client.get(ALERTS)
    assert answer.json()["code"] == "throttled"
    assert 1 <= int(answer["Retry-After"]) <= 3600
    assert client_of(user).get(ALERTS).status_code == 200, "another token has its own count"


def test_guessing_is_slowed_down_and_a_true_token_opens_from_there_all_the_same(client, stopped_clock):
    guesses = [client.get(ALERTS, headers={"Authorization": "Token x"}, REMOTE_ADDR="192.0.2.9") for _ in range(32)]
    assert {answer.status_code for answer in guesses[:30]} == {401}
    assert guesses[-1].status_code == 429
    assert client_of("viewer").get(ALERTS, REMOTE_ADDR="192.0.2.9").status_code == 200


def test_guessing_one_token_from_many_addresses_is_slowed_down_too_and_it_opens_all_the_same(client, stopped_clock):
    user = account("viewer")
    token, text = made(user)
    wrong = {"Authorization": f"Bearer {token.prefix}_{'0' * 64}"}
    guesses = [client.get(ALERTS, headers=wrong, REMOTE_ADDR=f"198.51.100.{n}").status_code for n in range(122)]
    assert guesses == [401] * 120 + [429] * 2
    headers = {"Authorization": f"Bearer {text}"}
    assert client.get(ALERTS, headers=headers, REMOTE_ADDR="198.51.100.1").status_code == 200
