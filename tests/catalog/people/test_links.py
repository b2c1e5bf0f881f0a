"""Links that let somebody in work once, for a while, and for whom they were made; asking for one tells nothing."""

from __future__ import annotations

import datetime as dt
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import AccountLink, AuditLog, LoginSession, User
from catalog.people import audit, invitations, letters, links, resets
from tests.browsers import client_of, said
from tests.clients import account
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PASSWORD, NEW = "correct-horse-47", "another-horse-48"
SITE = "https://astrid.example.org/sky"
ASK = "/accounts/password-reset/"


@pytest.fixture
def mailing(settings: Any) -> Any:
    """Return the settings of a site that sends e-mail."""
    settings.ASTRID_SENDS_MAIL, settings.ASTRID_MAIL_FROM = True, "AstrID <astrid@example.org>"
    settings.ASTRID_ADDRESS = SITE
    return settings


@pytest.fixture
def administrator() -> Client:
    return client_of("administrator", username="ada")


@pytest.fixture
def vera() -> User:
    user = account("viewer")
    user.username, user.email = "vera", "vera@example.org"
    user.set_password(PASSWORD)
    user.save()
    return user


def role(name: str) -> int:
    return Group.objects.get(name=name).pk


def invite(client: Client, email: str = "guest@example.org", as_: str = "curator", **more: str) -> Any:
    return client.post("/people/invite/", {"email": email, "role": role(as_)}, **more)


def address_in(text: str) -> str:
    """Return the address within the site of the one link in a page or letter."""
    (found,) = set(re.findall(r"/accounts/(?:invitation|reset)/[0-9a-f.]+/", text))
    return found


def shown(answer: Any) -> str:
    return address_in(answer.content.decode())


def accept(address: str, name: str = "greta", password: str = NEW) -> Any:
    return Client().post(address, {"username": name, "password1": password, "password2": password})


def set_password(address: str, password: str = NEW) -> Any:
    return Client().post(address, {"new_password1": password, "new_password2": password})


def lines() -> list[str]:
    return list(AuditLog.objects.order_by("id").values_list("action", flat=True))


# --- Invitations ---


def test_who_is_invited_chooses_name_and_password_and_has_the_role(administrator: Client):
    answer = invite(administrator, "Guest@Example.org")
    assert "no-store" in answer["Cache-Control"]
    address = shown(answer)
    assert address not in administrator.get("/people/").content.decode(), "it is shown once"
    page = Client().get(address)
    assert "guest@example.org is invited as curator" in page.content.decode()
    assert User.objects.count() == 1, "to look changes nothing"
    assert accept(address)["Location"] == "/accounts/login/"
    greta = User.objects.get(username="greta")
    assert (greta.email, greta.is_superuser) == ("guest@example.org", False)
    assert [group.name for group in greta.groups.all()] == ["curator"]
    assert Client().login(username="greta", password=NEW, request=page.wsgi_request)
    assert lines() == ["invite", "accept_invitation"]
    assert NEW not in str(list(AuditLog.objects.values()))


@pytest.mark.parametrize("end", ["used", "expired", "revoked", "replaced", "forged", "of another kind"])
def test_a_link_that_no_longer_holds_says_so_and_makes_no_account(administrator: Client, end: str):
    address = shown(invite(administrator))
    link = AccountLink.objects.get()
    told = end
    if end == "used":
        accept(address)
    elif end == "expired":
        AccountLink.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    elif end == "revoked":
        administrator.post(f"/people/invitations/{link.pk}/revoke/")
    elif end == "replaced":
        assert accept(shown(administrator.post(f"/people/invitations/{link.pk}/again/")), "gustav").status_code == 302
        told = "used"
    elif end == "forged":
        address, told = address[:-2] + ("0" if address[-2] != "0" else "1") + "/", "not a link of this site"
    else:
        address, told = address.replace("invitation", "reset"), "not a link of this site"
    before = User.objects.count()
    for answer in (Client().get(address), accept(address, "greta2"), set_password(address)):
        assert answer.status_code == 410 and told in answer.content.decode()
    assert User.objects.count() == before


def test_a_link_made_anew_ends_the_one_before(administrator: Client):
    first = shown(invite(administrator))
    AccountLink.objects.update(expires_at=timezone.now() - dt.timedelta(days=1))
    second = shown(administrator.post(f"/people/invitations/{AccountLink.objects.get().pk}/again/"))
    assert "replaced by a newer one" in Client().get(first).content.decode()
    assert accept(second).status_code == 302


@pytest.mark.parametrize(
    ("name", "password", "told"),
    [
        ("ada", NEW, "already exists"),
        ("greta", "12345678", "too common"),
        ("greta", "guest@example.org", "too similar"),
        ("", NEW, "required"),
    ],
)
def test_a_name_or_password_that_is_not_acceptable_uses_nothing_up(administrator: Client, name, password, told):
    address = shown(invite(administrator))
    answer = accept(address, name, password)
    assert answer.status_code == 400 and told in answer.content.decode()
    assert accept(address).status_code == 302


def test_nobody_is_invited_to_a_role_above_ones_own_nor_twice(administrator: Client, vera: User):
    beyond = Group.objects.create(name="archivists")
    beyond.permissions.add(*Group.objects.get(name="administrator").permissions.all())
    beyond.permissions.add(Permission.objects.get(codename="delete_auditlog"))
    assert invite(administrator, as_="archivists").status_code == 400
    with pytest.raises(links.LinkRefused, match="more than you"):
        invitations.invite("guest@example.org", beyond, audit.Actor(User.objects.get(username="ada")))
    assert "belongs to vera already" in invite(administrator, "VERA@example.org").content.decode()
    invite(administrator)
    assert "has an invitation already" in invite(administrator).content.decode()
    AccountLink.objects.update(expires_at=timezone.now() - dt.timedelta(days=1))
    assert invite(administrator).status_code == 200, "one that has expired is no hindrance"


@pytest.mark.parametrize("as_", ["viewer", "curator", "expert", "operator"])
def test_nobody_but_administrators_invites(as_: str):
    assert invite(client_of(as_)).status_code == 403
    assert not AccountLink.objects.exists()


def test_there_is_no_open_registration():
    for address in ("/accounts/signup/", "/accounts/register/", "/accounts/", "/accounts/email/", "/accounts/2fa/"):
        assert Client().get(address).status_code == 404
    assert Client().get("/accounts/invitation/x/").status_code == 410


# --- Letters ---


def test_an_invitation_is_mailed_by_a_worker_with_the_configured_address(administrator: Client, mailing: Any):
    mailing.ALLOWED_HOSTS = ["*"]
    answer = invite(administrator, HTTP_HOST="evil.example.net")
    assert said(answer) == ["The invitation is being sent to guest@example.org."]
    assert mail.outbox == [], "no page waits for the mail server"
    assert letters.take_turn() == 1 and letters.take_turn() == 0
    (letter,) = mail.outbox
    assert letter.to == ["guest@example.org"] and "by ada" in letter.body
    assert f"\n{SITE}/accounts/invitation/" in letter.body and "evil" not in letter.body
    assert accept(address_in(letter.body)).status_code == 302
    assert lines() == ["invite", "mail_link", "accept_invitation"]


def test_a_link_to_hand_over_names_the_configured_site_whatever_the_request_says(
    administrator: Client, settings: Any, vera: User
):
    settings.ASTRID_ADDRESS, settings.ALLOWED_HOSTS = SITE, ["*"]
    text = administrator.post(f"/people/{vera.pk}/reset/", HTTP_HOST="evil.example.net").content.decode()
    assert f"{SITE}/accounts/reset/" in text and "evil.example.net/accounts" not in text


def test_a_mail_server_that_does_not_answer_is_asked_again_later(
    administrator: Client, mailing: Any, monkeypatch: pytest.MonkeyPatch
):
    invite(administrator)
    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", _refuse)
        assert letters.take_turn() == 0
    link = AccountLink.objects.get()
    assert (link.tries, link.mailed_at) == (1, None) and "Connection refused" in link.last_reason
    assert link.next_try_at is not None and link.next_try_at > timezone.now()
    assert "Connection refused" in administrator.get("/people/").content.decode()
    assert letters.take_turn() == 0, "it is not due yet"
    AccountLink.objects.update(next_try_at=timezone.now())
    assert letters.take_turn() == 1
    link.refresh_from_db()
    assert link.last_reason == "" and link.mailed_at is not None


def _refuse(_: object) -> None:
    raise ConnectionRefusedError("Connection refused")


def test_what_was_revoked_before_its_letter_is_not_sent(administrator: Client, mailing: Any):
    invite(administrator)
    links.revoke(AccountLink.objects.get(), audit.MACHINE)
    assert letters.take_turn() == 0 and mail.outbox == []


# --- Forgotten passwords ---


def ask(who: str, **more: str) -> Any:
    return Client().post(ASK, {"who": who}, **more)


@pytest.mark.parametrize("who", ["vera", "VERA@example.org"])
def test_who_has_forgotten_a_password_is_sent_a_link_that_sets_another_and_logs_out_everywhere(
    vera: User, mailing: Any, who: str
):
    inside = Client()
    inside.force_login(vera)
    ask(who)
    assert letters.take_turn() == 1
    (letter,) = mail.outbox
    assert letter.to == ["vera@example.org"]
    address = address_in(letter.body)
    assert Client().get(address).status_code == 200
    assert inside.get("/profile/").status_code == 200, "to look changes nothing"
    assert set_password(address)["Location"] == "/accounts/login/"
    vera.refresh_from_db()
    assert vera.check_password(NEW)
    assert inside.get("/profile/").status_code == 302 and not LoginSession.objects.filter(user=vera).exists()
    assert "has been used" in set_password(address, "a-third-horse-49").content.decode()
    assert lines() == ["ask_password_reset", "mail_link", "change_password", "end_sessions"]


def test_known_and_unknown_are_answered_alike_by_as_many_queries(vera: User, mailing: Any):
    UserFactory(username="mute")
    UserFactory(username="gone", email="gone@example.org", is_active=False)
    answers, counts = [], []
    for who in ("vera", "vera@example.org", "nobody", "mute", "gone", "' OR 1=1 --"):
        with CaptureQueriesContext(connection) as queries:
            answer = ask(who)
        page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"|X-CSRFToken": "\w+"', "", answer.content.decode())
        answers.append((answer.status_code, page))
        counts.append([query["sql"].split()[0] for query in queries])
    assert answers == [answers[0]] * 6 and counts == [counts[0]] * 6
    letters.take_turn()
    assert {letter.to[0] for letter in mail.outbox} == {"vera@example.org"}
    assert not AccountLink.objects.exclude(asked_for="").exists(), "what was typed is not kept"
    assert "nobody" not in str(list(AuditLog.objects.values()))


def test_asking_is_bounded_by_address_and_by_account(vera: User, mailing: Any):
    for n in range(resets.MOST_FOR_ACCOUNT + 2):
        assert ask("vera", REMOTE_ADDR=f"192.0.2.{n}").status_code == 200
    letters.take_turn()
    assert len(mail.outbox) == resets.MOST_FOR_ACCOUNT
    asked = [ask("nobody", REMOTE_ADDR="198.51.100.9").status_code for _ in range(resets.MOST_FROM_ADDRESS + 1)]
    assert asked == [*[200] * resets.MOST_FROM_ADDRESS, 429]
    AccountLink.objects.update(created_at=timezone.now() - dt.timedelta(hours=25))
    letters.take_turn()
    assert AccountLink.objects.filter(user=None).count() == 0, "what was asked in vain is forgotten"


def test_a_link_ends_with_the_password_that_it_resets(vera: User, mailing: Any):
    ask("vera")
    letters.take_turn()
    vera.set_password("changed-meanwhile-5")
    vera.save()
    answer = set_password(address_in(mail.outbox[0].body))
    assert answer.status_code == 410 and "changed since" in answer.content.decode()


def test_a_site_without_mail_says_whom_to_ask_and_writes_nothing_down(vera: User):
    assert "sends no e-mail" in Client().get(ASK).content.decode()
    assert "sends no e-mail" in ask("vera").content.decode()
    assert not AccountLink.objects.exists()


def test_an_administrator_hands_over_a_link_and_earlier_ones_end(administrator: Client, vera: User):
    make = f"/people/{vera.pk}/reset/"
    first, second = (shown(administrator.post(make)) for _ in range(2))
    assert "revoked" in Client().get(first).content.decode()
    assert second not in administrator.get(f"/people/{vera.pk}/").content.decode()
    assert set_password(second).status_code == 302
    vera.refresh_from_db()
    assert vera.check_password(NEW) and lines()[:2] == ["make_password_reset"] * 2


def test_no_link_is_made_for_those_above_nor_for_oneself(administrator: Client):
    root, ada = UserFactory(is_superuser=True), User.objects.get(username="ada")
    for who in (root, ada):
        assert administrator.post(f"/people/{who.pk}/reset/").status_code == 403
    asleep = UserFactory(is_active=False)
    assert "disabled" in said(administrator.post(f"/people/{asleep.pk}/reset/"))[0]
    assert not AccountLink.objects.exists()


@pytest.mark.parametrize("address", ["/people/invite/", ASK])
def test_forms_from_other_sites_are_refused(mailing: Any, address: str):
    client = Client(enforce_csrf_checks=True)
    client.force_login(account("administrator"))
    assert client.post(address, {"who": "vera", "email": "x@example.org"}).status_code == 403
    assert not AccountLink.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_follow_an_invitation_at_once_one_is_let_in(administrator: Client):
    address = shown(invite(administrator))

    def follow(name: str) -> int:
        try:
            return accept(address, name).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(follow, ("greta", "gustav")))
    assert sorted(found)[0] == 302 and sorted(found)[1] in (400, 410)
    assert User.objects.filter(username__in=("greta", "gustav")).count() == 1
