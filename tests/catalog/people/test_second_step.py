"""The second step of a log-in: nothing comes round it, no code is taken twice, and guessing shuts."""

from __future__ import annotations

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from catalog.configuration.values import set_value
from catalog.models import AuditLog, LoginSession, User
from catalog.people import audit, factors
from catalog.web.log_in import SECOND_STEP_SECONDS
from tests.clients import account, token_of
from tests.routes import ROUTES

pytestmark = pytest.mark.django_db
LOG_IN, STEP, PROFILE = "/accounts/login/", "/accounts/second-step/", "/profile/"
PASSWORD = "correct-horse-47"


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> float:
    """Let the clock of codes stand still, in the middle of a half minute."""
    moment = time.time() // 30 * 30 + 15.0
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.time.time", lambda: moment)
    return moment


def code_of(secret: str, now: float, later: int = 0) -> str:
    """Return what an app shows so many half minutes from now."""
    return format_hotp_value(hotp_value(secret, int(now) // 30 + later))


def wrong_code(secret: str, now: float) -> str:
    taken = {code_of(secret, now, later) for later in (-1, 0, 1)}
    return next(f"{n:06d}" for n in range(4) if f"{n:06d}" not in taken)


@pytest.fixture
def vera() -> User:
    user = account("administrator")
    user.username = "vera"
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def secret(vera: User, now: float) -> str:
    """Return the secret that vera's app shares, which has shown one code already."""
    text = factors.new_secret()
    factors.add_app(vera, text, code_of(text, now, -1), audit.MACHINE)
    return text


def begin(client: Client | None = None, **more: str) -> Client:
    client = client or Client()
    answer = client.post(LOG_IN, {"username": "vera", "password": PASSWORD, "next": "/jobs/"}, **more)
    assert (answer.status_code, answer["Location"]) == (302, STEP)
    return client


def give(client: Client, code: str, **more: str) -> int:
    return client.post(STEP, {"code": code}, **more).status_code


def is_in(client: Client) -> bool:
    return client.get(PROFILE).status_code == 200


def test_a_code_after_the_password_logs_in_and_leads_where_one_wanted(secret: str, now: float):
    client = begin()
    assert client.get(STEP).status_code == 200 and not is_in(client)
    assert not AuditLog.objects.filter(action="log_in").exists()
    answer = client.post(STEP, {"code": f" {code_of(secret, now)[:3]} {code_of(secret, now)[3:]}"})
    assert (answer.status_code, answer["Location"]) == (302, "/jobs/")
    assert is_in(client)
    assert AuditLog.objects.get(action="log_in").user == "vera"
    assert client.get(STEP)["Location"] == "/", "nobody waits any more"


def test_whoever_waits_at_the_second_step_is_a_stranger_at_every_address(secret: str):
    client, stranger = begin(), Client()
    assert client.get("/admin/")["Location"].startswith(LOG_IN)
    assert client.get("/admin/login/", {"next": "/admin/"}, follow=True).redirect_chain[-1][0].startswith(LOG_IN)
    asked = 0
    for name, routes in ROUTES.items():
        for route in routes:
            # Addresses without a row: what matters is who is asked for, which comes before any row is looked for.
            if route.keys is not list or name in ("second_step", "readyz", "metrics", "healthz"):
                continue
            answer, other = (getattr(who, route.method)(reverse(name), route.data) for who in (client, stranger))
            assert (answer.status_code, answer.get("Location")) == (other.status_code, other.get("Location")), name
            asked += 1
            if name == "logout":
                begin(client)
    assert asked > 60
    assert not is_in(client)
    assert LoginSession.objects.exclude(user=None).count() == 0


def test_the_key_of_the_session_changes_at_each_step_so_that_none_is_given_beforehand(secret: str, now: float):
    client = Client()
    client.get(LOG_IN)
    client.session["planted"] = True
    client.session.save()
    keys = [client.session.session_key]
    begin(client)
    keys.append(client.session.session_key)
    assert give(client, code_of(secret, now)) == 302
    keys.append(client.session.session_key)
    assert len(set(keys)) == 3
    assert list(LoginSession.objects.values_list("session_key", flat=True)) == keys[-1:]


def test_a_code_is_taken_once_and_none_that_came_before_it(secret: str, now: float):
    assert give(begin(), code_of(secret, now)) == 302
    again = begin()
    assert give(again, code_of(secret, now)) == 200
    assert give(again, code_of(secret, now, -1)) == 200
    assert not is_in(again)
    assert give(again, code_of(secret, now, 1)) == 302, "the clock of a phone may be half a minute off"


def test_wrong_codes_shut_the_log_in_as_wrong_passwords_do(secret: str, now: float):
    client = begin()
    wrong = wrong_code(secret, now)
    assert [give(client, wrong) for _ in range(5)] == [200, 200, 200, 200, 429]
    assert give(client, code_of(secret, now)) == 429, "a right one comes too late"
    assert not is_in(client)
    assert Client().post(LOG_IN, {"username": "vera", "password": PASSWORD}).status_code == 429
    actions = list(AuditLog.objects.order_by("id").values_list("action", flat=True))
    assert actions == ["add_second_factor", *["fail_log_in"] * 5, "lock_log_in"]


def test_a_right_password_alone_forgets_no_wrong_codes(secret: str, now: float):
    client = begin()
    wrong = wrong_code(secret, now)
    assert [give(client, wrong) for _ in range(4)] == [200] * 4
    begin(client)
    assert give(client, wrong) == 429


def test_a_recovery_code_works_once_and_says_how_many_are_left(vera: User, secret: str):
    codes = factors.renew_recovery_codes(vera, audit.MACHINE)
    assert len(set(codes)) == 10
    client = begin()
    answer = client.post(STEP, {"code": codes[3]}, follow=True)
    assert "9 are left" in answer.content.decode() and is_in(client)
    assert give(begin(), codes[3]) == 200


@pytest.mark.parametrize("end", ["late", "password", "disabled"])
def test_who_waits_waits_no_longer(vera: User, secret: str, now: float, end: str, monkeypatch: pytest.MonkeyPatch):
    client = begin()
    if end == "late":
        late = time.time() + SECOND_STEP_SECONDS + 1.0
        monkeypatch.setattr("catalog.web.log_in.time.time", lambda: late)
    elif end == "password":
        vera.set_password("another-horse-48")
        vera.save()
    else:
        User.objects.filter(pk=vera.pk).update(is_active=False)
    answer = client.post(STEP, {"code": code_of(secret, now)})
    assert answer["Location"] == LOG_IN and not is_in(client)


def test_what_is_kept_of_a_factor_makes_no_codes_without_the_key_of_the_site(secret: str, settings):
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in kept
    vera = User.objects.get(username="vera")
    assert factors.recovery_codes_left(vera) == 10
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key of the site"
    assert factors.recovery_codes_left(vera) == 10, "an earlier key is still read"
    settings.SECRET_KEY_FALLBACKS = []
    assert factors.recovery_codes_left(vera) == 0 and factors.check(vera, "123456") == ""


def test_a_token_of_a_program_asks_for_no_second_factor(vera: User, secret: str):
    assert Client(headers={"Authorization": f"Token {token_of(vera)}"}).get("/api/v1/surveys/").status_code == 200


def test_a_form_of_the_second_step_from_another_site_is_refused(secret: str, now: float):
    client = begin(Client(enforce_csrf_checks=False))
    client.handler.enforce_csrf_checks = True
    assert give(client, code_of(secret, now)) == 403


# --- Where the role needs one ---


def test_a_role_that_needs_one_logs_in_only_by_setting_it_up(vera: User, now: float):
    set_value("people.second_factor_administrator", True, audit.MACHINE)
    client = begin()
    page = client.get(STEP).content.decode()
    secret = re.search(r'class="secret">([A-Z2-7]+)<', page)[1]
    assert "<svg" in page and "style=" not in page, "the policy of the site lets no page carry styles"
    assert not is_in(client)
    assert client.post(STEP, {"code": wrong_code(secret, now)}).status_code == 200
    assert not is_in(client)
    shown = client.post(STEP, {"code": code_of(secret, now)})
    codes = re.findall(r"<li><code>(\d+)</code>", shown.content.decode())
    assert len(codes) == 10 and "no-store" in shown["Cache-Control"] and is_in(client)
    assert give(begin(), codes[0]) == 302


def test_a_role_that_needs_none_is_asked_for_none(vera: User):
    set_value("people.second_factor_curator", True, audit.MACHINE)
    assert Client().post(LOG_IN, {"username": "vera", "password": PASSWORD})["Location"] == "/"
    assert not factors.is_asked_of(vera)
    assert factors.is_asked_of(account("curator"))


def test_a_superuser_counts_as_an_administrator(vera: User):
    set_value("people.second_factor_administrator", True, audit.MACHINE)
    vera.groups.clear()
    assert not factors.is_asked_of(vera)
    vera.is_superuser = True
    assert factors.is_asked_of(vera)


# --- One's own ---


@pytest.fixture
def browser(vera: User) -> Client:
    client = Client()
    client.force_login(vera)
    return client


def test_a_factor_is_set_up_by_who_knows_the_password(browser: Client, vera: User, now: float):
    assert browser.get("/profile/second-factor/app/")["Location"] == PROFILE
    assert browser.post("/profile/second-factor/", {"password": "wrong"})["Location"] == PROFILE
    assert browser.get("/profile/second-factor/app/")["Location"] == PROFILE, "nothing was begun"
    browser.post("/profile/second-factor/", {"password": PASSWORD})
    page = browser.get("/profile/second-factor/app/").content.decode()
    secret = re.search(r'class="secret">([A-Z2-7]+)<', page)[1]
    assert not factors.has(vera), "to look changes nothing"
    browser.post("/profile/second-factor/app/", {"code": wrong_code(secret, now)})
    assert not factors.has(vera)
    browser.post("/profile/second-factor/app/", {"code": code_of(secret, now)})
    assert factors.has(vera)
    assert secret not in browser.get(PROFILE).content.decode()
    assert AuditLog.objects.get(action="add_second_factor").user == "vera"


def test_to_remove_it_or_make_codes_anew_asks_for_the_password_and_wrong_ones_count(
    browser: Client, vera: User, secret: str
):
    (row,) = factors.of(vera)
    remove, codes = f"/profile/second-factor/{row.pk}/remove/", "/profile/second-factor/codes/"
    for address in (remove, codes):
        browser.post(address, {"password": "wrong"})
        browser.post(address, {"password": ""})
        browser.post(address)
    assert factors.has(vera) and factors.recovery_codes_left(vera) == 10
    assert AuditLog.objects.filter(action="fail_log_in").count() == 2, "an empty field is no try"
    assert "<li><code>" in browser.post(codes, {"password": PASSWORD}).content.decode()
    browser.post(remove, {"password": PASSWORD})
    assert not Authenticator.objects.exists(), "recovery codes go with the last one"
    assert [browser.post(remove, {"password": PASSWORD}).status_code] == [404]


def test_nobody_removes_the_factor_of_another_by_their_own_page(secret: str, vera: User):
    (row,) = factors.of(vera)
    other = account("viewer")
    other.set_password(PASSWORD)
    other.save()
    client = Client()
    client.force_login(other)
    assert client.post(f"/profile/second-factor/{row.pk}/remove/", {"password": PASSWORD}).status_code == 404
    assert factors.has(vera)


def test_the_command_takes_it_off_whoever_is_locked_out(vera: User, secret: str, capsys: pytest.CaptureFixture[str]):
    call_command("remove_second_factor", "vera")
    assert not factors.has(vera) and "vera" in capsys.readouterr().out
    assert AuditLog.objects.get(action="remove_second_factor").user == ""
    call_command("remove_second_factor", "vera")
    assert "has none" in capsys.readouterr().out
