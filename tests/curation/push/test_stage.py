"""Subscribers get what they asked for, whatever receivers do: nothing is lost, and a double has the same key."""

from __future__ import annotations

import json
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from catalog.files import posting
from catalog.people import audit
from curation.alerts.criteria import Criteria
from curation.alerts.publishing import publish_pending
from curation.models import Alert, Delivery, DeliveryStatus, Destination, Subscription
from curation.push import sending, stage
from curation.push.keeping import Wish, subscribe
from tests.curation.push.pushing import make_due, states, subscription, tell, work
from tests.factories import AlertFactory
from tests.receivers import hanging, saying

pytestmark = pytest.mark.django_db


def test_a_publication_arrives_signed_and_a_changed_byte_is_refused(receivers, owner):
    row, secret = subscription(owner, receivers.url("/a"))
    (alert,) = tell()
    assert work() == 1
    (came,) = receivers.came
    event = Webhook(secret).verify(came.body, came.headers)
    assert (event["type"], event["data"]["alert"], event["data"]["sequence"]) == ("alert.new", str(alert.pk), 1)
    assert event["data"]["payload"]["metadata"] == {"basis": "human"}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(came.body.replace(b'"sequence":1', b'"sequence":2'), came.headers)
    delivery = Delivery.objects.get()
    assert (came.key, states(row)) == (str(delivery.pk), [("delivered", 1, 204)])
    alert.refresh_from_db()
    assert (alert.status, alert.delivery_attempts) == ("delivered", 1)
    assert alert.sent_at is not None
    assert work() == 0, "there is nothing more to do"


def test_what_is_refused_is_tried_again_under_the_same_key_with_a_new_time(receivers, owner, monkeypatch):
    row, secret = subscription(owner, receivers.url("/a"))
    receivers.after["/a"] = [saying(500), saying(200, body=b"thanks")]
    tell()
    work()
    assert states(row) == [("failed", 1, 500)]
    delivery = Delivery.objects.get()
    assert delivery.last_reason == "The receiver answered 500 Internal Server Error."
    row.refresh_from_db()
    assert (row.failures, Alert.objects.get().status) == (1, "pending"), "nobody has it"
    assert work() == 0, "it is left alone for some seconds"
    make_due(row)
    work()
    first, second = receivers.came
    assert (first.key, first.body) == (second.key, second.body)
    Webhook(secret).verify(second.body, second.headers)
    assert states(row) == [("delivered", 2, 200)]
    row.refresh_from_db()
    assert (row.failures, row.resting_until) == (0, None)
    assert Alert.objects.get().delivery_attempts == 2


def test_a_receiver_that_is_gone_is_asked_no_more_and_the_subscription_says_why(receivers, owner):
    row, _ = subscription(owner, receivers.url("/gone"))
    other, _ = subscription(owner, receivers.url("/b"))
    receivers.after["/gone"] = [saying(410)]
    tell(3)
    work()
    row.refresh_from_db()
    assert not row.is_active
    assert "410 Gone" in row.stopped_reason
    asked = len(receivers.at("/gone"))
    tell()
    work()
    assert len(receivers.at("/gone")) == asked
    assert states(other) == [("delivered", 1, 204)] * 4
    assert set(Alert.objects.values_list("status", flat=True)) == {"delivered"}, "who is stopped does not count"


def test_a_redirect_is_a_failure_and_is_not_followed(receivers, owner):
    row, _ = subscription(owner, receivers.url("/moved"))
    receivers.after["/moved"] = [saying(301, {"Location": receivers.url("/elsewhere")})]
    tell()
    work()
    assert states(row) == [("failed", 1, 301)]
    assert receivers.at("/elsewhere") == []
    assert "not followed" in Delivery.objects.get().last_reason


def test_who_asks_to_be_left_alone_is_for_as_long_as_they_ask(receivers, owner):
    row, _ = subscription(owner, receivers.url("/busy"))
    receivers.after["/busy"] = [saying(429, {"Retry-After": "1000"})]
    tell(20)
    work()
    row.refresh_from_db()
    asked = len(receivers.came)
    assert asked <= stage.AT_ONCE, "the first refusal holds back the others"
    rest = row.resting_until - row.updated_at
    assert 990 < rest.total_seconds() < 1010
    assert all(one.next_try_at > row.updated_at for one in Delivery.objects.filter(status="failed"))
    assert states(row).count(("waiting", 0, None)) == 20 - asked, "what was not sent counts no try"
    assert Delivery.objects.filter(status="waiting", first_try_at__isnull=False).count() == 0


def test_one_that_hangs_costs_one_time_limit_and_keeps_what_it_accepted_apart_by_its_key(receivers, owner, monkeypatch):
    monkeypatch.setattr(sending, "Post", lambda: posting.Post(0.5))
    row, _ = subscription(owner, receivers.url("/hangs"))
    other, _ = subscription(owner, receivers.url("/b"))
    receivers.after["/hangs"] = [hanging(receivers)]
    alerts = tell(30)
    start = time.monotonic()
    assert work() == 2
    assert time.monotonic() - start < 3.0
    assert states(other) == [("delivered", 1, 204)] * 30
    failed = Delivery.objects.filter(subscription=row, status="failed")
    assert failed.count() == len(receivers.at("/hangs")) <= stage.AT_ONCE
    assert "did not answer within" in failed[0].last_reason
    assert Alert.objects.get(pk=alerts[0].pk).status == "sent", "one has it, and one has yet to acknowledge it"
    # It answers now, and gets what it had accepted before once more: by the same keys.
    accepted = {one.key for one in receivers.at("/hangs")}
    receivers.after["/hangs"] = [saying(200)]
    make_due(row)
    work()
    work()
    assert {state for state, _, _ in states(row)} == {"delivered"}
    came = [one.key for one in receivers.at("/hangs")]
    assert len(set(came)) == 30
    assert {key for key in came if came.count(key) > 1} == accepted
    assert set(Alert.objects.values_list("status", flat=True)) == {"delivered"}


def test_a_receiver_that_failed_is_asked_with_one_message_first(receivers, owner):
    row, _ = subscription(owner, receivers.url("/a"))
    Subscription.objects.filter(pk=row.pk).update(failures=3)
    receivers.after["/a"] = [saying(503)]
    tell(10)
    work()
    assert len(receivers.came) == 1
    row.refresh_from_db()
    assert row.failures == 4


def test_messages_share_their_connections(receivers, owner):
    subscription(owner, receivers.url("/a"))
    tell(60)
    work()
    assert len(receivers.came) == 60
    assert receivers.connections <= stage.AT_ONCE


def test_a_worker_that_dies_amid_sending_loses_nothing(receivers, owner, monkeypatch):
    row, _ = subscription(owner, receivers.url("/a"))
    tell(20)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stage, "put_down", die)
    with pytest.raises(KeyboardInterrupt):
        work()
    monkeypatch.undo()
    sent = {one.key for one in receivers.came}
    assert len(sent) == 20
    assert {state for state, _, _ in states(row)} == {"waiting"}, "nobody has put down what came of it"
    make_due(row)
    work()
    work()
    assert {state for state, _, _ in states(row)} == {"delivered"}
    assert {one.key for one in receivers.came} == sent, "doubles have the same key"


def test_two_workers_at_one_subscriber_send_nothing_twice(receivers, owner):
    row, _ = subscription(owner, receivers.url("/a"))
    tell(40)
    stage.read_on(str(row.pk))
    first = stage.take(row, 32)
    second = stage.take(row, 32)
    assert (len(first), len(second)) == (32, 8)
    assert not {one.delivery.pk for one in first} & {one.delivery.pk for one in second}
    assert stage.read_on(str(row.pk)) == []


def test_a_try_that_was_taken_for_lost_writes_nothing_over_its_successor(receivers, owner):
    row, _ = subscription(owner, receivers.url("/a"))
    receivers.after["/a"] = [saying(503)]
    tell()
    stage.read_on(str(row.pk))
    (late,) = stage.take(row, 1)
    make_due(row)
    work()
    assert states(row) == [("failed", 2, 503)]
    stage.put_down(row, [(late, stage.Outcome(DeliveryStatus.FAILED, 500, "late"))])
    assert states(row) == [("failed", 2, 503)]


def test_an_address_inside_is_refused(receivers, owner, settings):
    row, _ = subscription(owner, receivers.url("/a"))
    settings.ASTRID_OUTGOING_HOSTS = []
    tell()
    work()
    assert states(row) == [("failed", 1, None)]
    assert "not on the public internet" in Delivery.objects.get().last_reason
    assert receivers.came == []


def test_slack_is_told_in_words_that_call_nobody(receivers, owner):

    wish = Wish("Slack", Criteria(), Destination.SLACK, receivers.url("/services/T/B/key"))
    row, secret = subscribe(owner, wish, audit.Actor(owner))
    assert secret == ""
    AlertFactory(title="<!channel> & more", message="Bright.", alert_metadata={"basis": "human"})
    publish_pending()
    work()
    (came,) = receivers.came
    text = json.loads(came.body)["text"]
    assert text.startswith("*&lt;!channel&gt; &amp; more*\nBright.")
    assert "webhook-id" not in came.headers
    assert states(row) == [("delivered", 1, 204)]
