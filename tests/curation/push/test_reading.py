"""Each publication is decided about once, and what follows from one that went out follows it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from catalog.configuration.values import set_value
from catalog.models import AuditLog
from catalog.people import audit
from curation.models import AlertType, Delivery, Subscription
from curation.push import keeping, ordering, trying
from curation.push.ordering import has_something, order_due, tidy
from curation.push.reading import last_published, read_on
from tests.curation.looks import trusted_model
from tests.curation.push.pushing import make_due, states, subscription, tell, work
from tests.factories import DetectionFactory
from tests.receivers import saying

pytestmark = pytest.mark.django_db
NOWHERE = "http://127.0.0.1:9/alerts"


def sequences(row: Subscription) -> list[int]:
    found = Delivery.objects.filter(subscription=row).order_by("publication__sequence")
    return list(found.values_list("publication__sequence", flat=True))


def test_a_subscription_begins_now_and_its_place_moves_past_what_does_not_match(owner):
    tell()
    row, _ = subscription(owner, NOWHERE, labels=("nova",))
    tell(label="asteroid")
    tell(label="nova")
    read_on(row.pk)
    row.refresh_from_db()
    assert (sequences(row), row.place) == ([3], 3)
    assert read_on(row.pk) == []


def test_an_update_and_a_retraction_follow_to_who_got_what_they_are_about_and_to_nobody_else(owner):
    one, _ = subscription(owner, NOWHERE, "novae", labels=("nova",), kinds=(AlertType.NEW,))
    other, _ = subscription(owner, NOWHERE, "asteroids", labels=("asteroid",))
    detection = DetectionFactory()
    (first,) = tell(detection=detection, label="nova")
    (second,) = tell(detection=detection, kind="update", label="other", updates=str(first.pk))
    read_on(one.pk)
    tell(detection=detection, kind="retraction", label="other", retracts=str(second.pk))
    tell(kind="retraction", label="nova", retracts=str(DetectionFactory().pk))
    for row in (one, other):
        read_on(row.pk)
    assert sequences(one) == [1, 2, 3], "in one reading and in the next"
    assert sequences(other) == []


def test_automatic_alerts_go_to_who_asks_for_them_once_their_false_rate_is_known(owner):
    plain, _ = subscription(owner, NOWHERE, "plain")
    asking, _ = subscription(owner, NOWHERE, "asking", includes_automatic=True)
    tell(basis="automatic")
    for row in (plain, asking):
        read_on(row.pk)
    assert (sequences(plain), sequences(asking)) == ([], [])
    trusted_model()
    tell(basis="automatic")
    for row in (plain, asking):
        read_on(row.pk)
    assert (sequences(plain), sequences(asking)) == ([], [2])


def test_one_publication_goes_to_one_subscription_once(owner):
    row, _ = subscription(owner, NOWHERE)
    tell(3)
    read_on(row.pk)
    Subscription.objects.update(place=0)
    read_on(row.pk)
    assert sequences(row) == [1, 2, 3]


def test_what_is_published_after_its_time_is_not_sent_and_then_it_ends(owner, receivers):
    row, _ = subscription(owner, receivers.url("/a"))
    tell()
    Subscription.objects.update(until=timezone.now() + dt.timedelta(microseconds=1))
    tell()
    receivers.after["/a"] = [saying(500), saying(200)]
    work()
    assert sequences(row) == [1]
    tidy()
    assert Subscription.objects.get().ended_at is None, "the first has not arrived yet"
    make_due(row)
    work()
    assert states(row) == [("delivered", 2, 200)]
    tidy()
    row.refresh_from_db()
    assert row.ended_at is not None
    assert AuditLog.objects.get(action="end_subscription").new_values["reason"] == "Its time is over."


def test_a_paused_subscription_passes_nothing_over(owner, receivers):
    row, _ = subscription(owner, receivers.url("/a"))
    keeping.pause(row, audit.MACHINE)
    tell(2)
    assert work() == 0
    keeping.resume(row, audit.MACHINE)
    work()
    assert sequences(row) == [1, 2]
    keeping.pause(row, audit.MACHINE)
    tell(2)
    keeping.resume(row, audit.MACHINE, skips=True)
    tell()
    work()
    assert sequences(row) == [1, 2, 5]


@pytest.mark.parametrize(("key", "value"), [("is_active", False), ("groups", [])])
def test_who_may_not_read_alerts_any_more_is_sent_none(owner, receivers, key, value):
    row, _ = subscription(owner, receivers.url("/a"))
    owner.groups.set(value) if key == "groups" else type(owner).objects.filter(pk=owner.pk).update(is_active=value)
    tell()
    work()
    row.refresh_from_db()
    assert receivers.came == []
    assert not row.is_active
    assert owner.username in row.stopped_reason


def test_who_judges_blind_is_sent_nothing(owner, receivers):
    row, _ = subscription(owner, receivers.url("/a"))
    set_value("curation.blind", True, audit.MACHINE)
    tell()
    work()
    row.refresh_from_db()
    assert (receivers.came, row.stopped_reason) == ([], keeping.BLIND)
    with pytest.raises(keeping.Refused, match="blind"):
        subscription(owner, receivers.url("/b"))


def test_ten_tries_are_made_and_then_it_is_dead_until_somebody_replays_it(owner, receivers):
    row, _ = subscription(owner, receivers.url("/a"))
    receivers.after["/a"] = [saying(400)]
    tell()
    for _ in range(12):
        work()
        make_due(row)
    assert states(row) == [("dead", 10, 400)]
    line = AuditLog.objects.get(action="delivery_died")
    assert line.new_values == {"attempts": 10, "reason": "The receiver answered 400 Bad Request."}
    receivers.after["/a"] = [saying(503), saying(200)]
    assert keeping.replay(Delivery.objects.filter(subscription=row), audit.Actor(owner)) == 1
    assert keeping.replay(Delivery.objects.filter(subscription=row), audit.Actor(owner)) == 0
    for _ in range(2):
        make_due(row)
        work()
    assert states(row) == [("delivered", 12, 200)]
    assert len({one.key for one in receivers.came}) == 1
    assert AuditLog.objects.get(action="replay_delivery").user == owner.username


def test_the_waits_between_tries_grow_to_about_three_days_in_all():
    drawn = [[trying._wait_after(number) for number in range(1, 10)] for _ in range(20)]
    for waits in drawn:
        assert 4.0 < waits[0] < 6.0
        assert waits[:7] == sorted(waits[:7])
        assert 68 * 3600 < sum(waits) < 84 * 3600, "within what a delivery may take in all"
    assert len({waits[3] for waits in drawn}) > 1, "not all at the same moment"


def test_what_is_too_old_or_was_lost_at_its_last_try_is_given_up(owner):
    row, _ = subscription(owner, NOWHERE)
    tell(3)
    read_on(row.pk)
    old, lost, _ = Delivery.objects.order_by("publication__sequence")
    Delivery.objects.filter(pk=old.pk).update(expires_at=row.created_at)
    Delivery.objects.filter(pk=lost.pk).update(attempts=10, next_try_at=row.created_at)
    tidy()
    assert [state for state, _, _ in states(row)] == ["dead", "dead", "waiting"]
    old.refresh_from_db()
    assert "three and a half days" in old.last_reason
    assert AuditLog.objects.filter(action="delivery_died").count() == 2


def test_a_subscriber_at_whom_a_worker_is_already_is_ordered_once(owner):
    row, _ = subscription(owner, NOWHERE)
    assert order_due() == 0
    tell()
    assert (order_due(), order_due()) == (1, 0)
    assert has_something(row.pk)
    assert last_published() == 1


def test_an_alert_that_its_last_worker_left_undone_is_brought_up_later(owner, receivers, monkeypatch):
    subscription(owner, receivers.url("/a"))
    (alert,) = tell()
    monkeypatch.setattr("curation.push.stage.bring_up", lambda keys: None)
    work()
    alert.refresh_from_db()
    assert (alert.status, alert.delivery_attempts) == ("pending", 0)
    tidy()
    alert.refresh_from_db()
    assert (alert.status, alert.delivery_attempts) == ("delivered", 1)


def test_an_alert_is_delivered_when_the_one_that_lacked_it_is_paused(owner, receivers):
    subscription(owner, receivers.url("/a"))
    slow, _ = subscription(owner, receivers.url("/b"))
    receivers.after["/b"] = [saying(500)]
    (alert,) = tell()
    work()
    alert.refresh_from_db()
    assert (alert.status, alert.delivery_attempts) == ("sent", 2)
    keeping.pause(slow, audit.MACHINE)
    ordering.bring_up_without(slow)
    alert.refresh_from_db()
    assert alert.status == "delivered"
