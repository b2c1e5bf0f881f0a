"""Pages of subscriptions: made, tried, changed and ended by their owner, seen by administrators, and by nobody else."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse
from standardwebhooks import Webhook

from catalog.configuration.values import set_value
from catalog.models import User
from catalog.people import audit
from curation.models import Delivery, SavedFilter, Subscription
from curation.push.sending import receiver_of
from tests.clients import account, client_of
from tests.curation.push.pushing import make_due, subscription, tell, work
from tests.receivers import saying

pytestmark = pytest.mark.django_db
NOWHERE = "http://127.0.0.1:9/a"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def at(name: str, row: Subscription | None = None) -> str:
    return reverse(f"curation:{name}", args=[row.pk] if row else [])


def test_a_webhook_is_made_after_a_look_at_what_it_would_have_given_and_its_secret_is_shown_once(owner, receivers):
    tell(2, label="nova")
    client = browser(owner)
    given = {"name": "Mine", "destination": "webhook", "address": receivers.url("/a"), "nights": "7"}
    answer = client.post(at("new_subscription"), {**given, "preview": "1"})
    assert "2 alert s about 1 object" in text_of(answer).replace("alerts", "alert s")
    assert not Subscription.objects.exists()
    answer = client.post(at("new_subscription"), given)
    (secret,) = set(SECRET.findall(answer.content.decode()))
    assert "no-store" in answer["Cache-Control"]
    row = Subscription.objects.get()
    assert (row.owner, row.place) == (owner, 2)
    assert not SECRET.search(client.get(at("subscription", row)).content.decode())
    answer = client.post(at("test_subscription", row))
    assert "The receiver answered 204." in text_of(answer)
    (came,) = receivers.came
    assert Webhook(secret).verify(came.body, came.headers)["type"] == "test"
    assert not Delivery.objects.exists()
    receivers.after["/a"] = [saying(500, body=b"<b>broken</b>")]
    answer = client.post(at("test_subscription", row))
    assert "answered 500 Internal Server Error" in text_of(answer)
    assert b"&lt;b&gt;broken" in answer.content
    answer = client.post(at("rotate_secret", row))
    assert set(SECRET.findall(answer.content.decode())) == {receiver_of(row).secrets[0]}


def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_made(owner):
    client = browser(owner)
    subscription(owner, NOWHERE, "Mine")
    for given, field, said in (
        ({"address": ""}, "address", "Give the address"),
        ({"address": "ftp://a"}, "address", "not a web address"),
        ({"address": "http://10.0.0.1/x"}, "address", "not on the public internet"),
        ({"address": "https://[::1]/x"}, "address", "not on the public internet"),
        ({"destination": "email", "address": "nobody"}, "address", "Enter a valid email address"),
        ({"destination": "email", "address": "a@example.org"}, "destination", "This site sends no e-mail"),
        ({"place": "nowhere"}, "place", "Give RA and Dec"),
        ({"score_min": "2"}, "score_min", "less than or equal"),
        ({"name": "Mine"}, "name", "give this one another name"),
    ):
        sent = {"name": "x", "destination": "webhook", "address": NOWHERE} | given
        answer = client.post(at("new_subscription"), sent)
        assert answer.status_code == 400, given
        assert said in "".join(answer.context["form"].errors[field]) and said in text_of(answer), given
    assert Subscription.objects.count() == 1


def test_a_filter_of_ones_own_is_taken_over(owner):
    mine = SavedFilter.objects.create(person=owner, name="Bright", query="score_min=0.9&field=M31")
    answer = browser(owner).get(f"{at('new_subscription')}?from={mine.pk}")
    assert 'value="0.9"' in answer.content.decode()
    assert "without what alerts do not say: field" in text_of(answer)
    others = SavedFilter.objects.create(person=account("curator"), name="Theirs", query="score_min=0.3")
    assert 'value="0.3"' not in browser(owner).get(f"{at('new_subscription')}?from={others.pk}").content.decode()


def test_a_subscription_is_its_owners_and_administrators_may_stop_it_without_learning_secrets(owner):
    row, _ = subscription(owner, "http://127.0.0.1:9/a", "Mine")
    other, administrator = browser(account("operator")), browser(account("administrator"))
    for name in ("subscription", "edit_subscription"):
        assert other.get(at(name, row)).status_code == 404
    for name in ("pause_subscription", "end_subscription", "rotate_secret", "test_subscription"):
        assert other.post(at(name, row)).status_code == 404
    assert "Mine" not in text_of(other.get(at("subscriptions")))
    assert "Mine" in text_of(administrator.get(at("subscriptions")))
    for name in ("rotate_secret", "test_subscription", "edit_subscription"):
        assert administrator.post(at(name, row)).status_code == 404
    assert administrator.post(at("pause_subscription", row)).status_code == 302
    row.refresh_from_db()
    assert not row.is_active
    assert "New secret" not in text_of(administrator.get(at("subscription", row)))
    answer = client_of("operator").get("/api/v1/subscriptions/").json()
    assert answer["results"] == []


def test_it_is_changed_paused_resumed_and_ended_from_its_page(owner):
    row, _ = subscription(owner, "http://127.0.0.1:9/a", "Mine")
    client = browser(owner)
    page = client.get(at("edit_subscription", row)).content.decode()
    assert 'value="http://127.0.0.1:9/a"' in page
    given = {"name": "Ours", "destination": "webhook", "address": "http://127.0.0.1:9/a", "labels": ["asteroid"]}
    given |= {"until": "2020-01-01", "place": "10 -20 30", "snr_min": "7"}
    assert "That day is over" in text_of(client.post(at("edit_subscription", row), given))
    row.refresh_from_db()
    assert (row.name, row.until) == ("Mine", None)
    given["until"] = "2100-01-01"
    assert client.post(at("edit_subscription", row), given).status_code == 302
    row.refresh_from_db()
    cone = {"ra_deg": 10.0, "dec_deg": -20.0, "radius_arcsec": 30.0}
    assert row.criteria == {"labels": ["asteroid"], "snr_min": 7.0, **cone}
    assert f"{row.until:%Y-%m-%d %H}" == "2100-01-02 00"
    page = client.get(at("edit_subscription", row)).content.decode()
    assert 'value="2100-01-01"' in page and 'value="10.000000 -20.000000 30"' in page
    for name, is_active, ended in (("pause", False, False), ("resume", True, False), ("end", False, True)):
        client.post(at(f"{name}_subscription", row))
        row.refresh_from_db()
        assert (row.is_active, row.ended_at is not None) == (is_active, ended)
    assert "has ended" in text_of(client.post(at("pause_subscription", row), follow=True))


def test_dead_letters_are_listed_and_replayed_one_or_all_of_a_subscription(owner, receivers):
    row, _ = subscription(owner, receivers.url("/a"), "Mine")
    tell(3)
    work()
    Delivery.objects.update(status="dead", next_try_at=None, delivered_at=None, last_reason="<i>why</i>")
    client, page = browser(owner), f"{at('deliveries')}?status=dead&subscription={row.pk}"
    answer = client.get(page)
    assert answer.content.decode().count("Try again") >= 3
    assert b"&lt;i&gt;why" in answer.content
    one = Delivery.objects.order_by("pk")[0]
    stranger = browser(account("operator"))
    assert "0 deliveries" in text_of(stranger.post(at("replay_deliveries"), {"delivery": one.pk}, follow=True))
    answer = client.post(at("replay_deliveries"), {"delivery": one.pk, "next": page}, follow=True)
    assert "1 delivery will be tried again" in text_of(answer)
    client.post(at("replay_deliveries"), {"subscription": row.pk})
    assert not Delivery.objects.filter(status="dead").exists()
    assert client.post(at("replay_deliveries"), {"subscription": "x"}).status_code == 404
    make_due(row)
    work()
    assert Delivery.objects.filter(status="delivered").count() == 3


def test_clients_read_their_own_without_secrets(owner):
    row, secret = subscription(owner, "http://127.0.0.1:9/a", "Mine")
    Subscription.objects.create(
        owner=account("curator"), name="x", destination="slack", address="https://h.org/s/veryhidden"
    )
    tell()
    work()
    client = client_of(owner)
    (shown,) = client.get("/api/v1/subscriptions/").json()["results"]
    assert (shown["id"], shown["address"], shown["criteria"]) == (str(row.pk), "http://127.0.0.1:9/a", {})
    (sent,) = client.get(f"/api/v1/deliveries/?subscription={row.pk}&status=failed").json()["results"]
    assert (sent["attempts"], sent["delivered_at"]) == (1, None)
    every = client_of("administrator").get("/api/v1/subscriptions/")
    assert len(every.json()["results"]) == 2
    assert b"veryhidden" not in every.content and secret.encode() not in every.content
    page = browser(account("administrator")).get(reverse("admin:curation_subscription_changelist"))
    assert b"veryhidden" not in page.content
    set_value("curation.blind", True, audit.MACHINE)
    assert client.get("/api/v1/deliveries/").json()["results"] == []
    answer = browser(owner).get(at("subscriptions"))
    assert "judges blind" in text_of(answer) and "Mine" not in text_of(answer)
    assert browser(owner).get(at("subscription", row)).status_code == 403
