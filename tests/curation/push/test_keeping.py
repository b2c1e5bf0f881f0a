"""What people do with subscriptions: secrets are shown once, two sign while one is changed, and all of it is told."""

from __future__ import annotations

import json

import pytest
from django.core import mail
from standardwebhooks import Webhook, WebhookVerificationError

from catalog.failures import NotPossible
from catalog.models import AuditLog
from catalog.people import audit
from curation.alerts.criteria import Criteria
from curation.models import Delivery, Destination, SigningSecret, Subscription
from curation.push import keeping
from curation.push.keeping import Wish, shown_address, subscribe
from tests.curation.push.pushing import states, subscription, tell, work

pytestmark = pytest.mark.django_db
NOWHERE = "http://127.0.0.1:9/alerts"
SLACK = "https://hooks.example.org/services/T0/B0/veryhidden"


def is_signed_by(secret: str, came) -> bool:
    try:
        Webhook(secret).verify(came.body, came.headers)
    except WebhookVerificationError:
        return False
    return True


def test_while_a_secret_is_changed_both_sign_and_the_old_one_ends_after_a_day(owner, receivers):
    row, old = subscription(owner, receivers.url("/a"))
    new = keeping.rotate(row, audit.Actor(owner))
    tell()
    work()
    (came,) = receivers.came
    assert (is_signed_by(old, came), is_signed_by(new, came)) == (True, True)
    left = SigningSecret.objects.get(valid_until__isnull=False).valid_until - row.created_at
    assert 86390 < left.total_seconds() < 86410
    SigningSecret.objects.filter(valid_until__isnull=False).update(valid_until=row.created_at)
    tell()
    work()
    assert (is_signed_by(old, receivers.came[1]), is_signed_by(new, receivers.came[1])) == (False, True)


def test_who_received_before_cannot_sign_what_is_sent_elsewhere(owner, receivers):
    row, old = subscription(owner, receivers.url("/a"))
    row, new = keeping.change(row, Wish("b", Criteria(), Destination.WEBHOOK, receivers.url("/b")), audit.MACHINE)
    tell()
    work()
    (came,) = receivers.came
    assert (came.path, is_signed_by(old, came), is_signed_by(new, came)) == ("/b", False, True)
    assert keeping.change(row, Wish("c", Criteria(), Destination.WEBHOOK, row.address), audit.MACHINE)[1] == ""


def test_neither_secrets_nor_an_address_of_slack_are_in_the_audit_log(owner):
    row, secret = subscription(owner, NOWHERE)
    fresh = keeping.rotate(row, audit.Actor(owner))
    slack, _ = subscribe(owner, Wish("Slack", Criteria(), Destination.SLACK, SLACK), audit.Actor(owner))
    keeping.change(slack, Wish("Slack 2", Criteria(), Destination.SLACK, f"{SLACK}2"), audit.Actor(owner))
    keeping.pause(slack, audit.Actor(owner))
    keeping.end(slack, audit.Actor(owner))
    lines = list(AuditLog.objects.order_by("created_at", "id"))
    assert [line.action for line in lines] == [
        "create_subscription", "rotate_secret", "create_subscription", "change_subscription", "pause_subscription",
        "end_subscription",
    ]  # fmt: skip
    text = json.dumps([(line.old_values, line.new_values, line.change_summary) for line in lines])
    assert not any(hidden in text for hidden in (secret, fresh, "veryhidden"))
    assert shown_address(slack) == "https://hooks.example.org/… (kept secret)"


def test_an_ended_subscription_keeps_its_rows_and_nothing_to_sign_with(owner):
    row, _ = subscription(owner, NOWHERE)
    tell()
    work()
    keeping.end(row, audit.Actor(owner))
    assert [state for state, _, _ in states(row)] == ["dead"]
    assert not SigningSecret.objects.exists()
    assert keeping.replay(Delivery.objects.all(), audit.MACHINE) == 0
    for change in (keeping.pause, keeping.resume, keeping.rotate, keeping.end):
        with pytest.raises(NotPossible, match="ended"):
            change(row, audit.MACHINE)
    tell()
    assert work() == 0


@pytest.mark.parametrize(
    "address", ["ftp://a.example.org/", "https://user:pass@a.example.org/", "nowhere", "http://[x/"]
)
def test_an_address_that_is_none_is_refused(owner, address):
    with pytest.raises(keeping.Refused):
        subscription(owner, address)
    assert not Subscription.objects.exists()


def test_a_name_is_given_once_and_again_after_the_first_has_ended(owner):
    row, _ = subscription(owner, NOWHERE, "mine")
    with pytest.raises(keeping.Refused, match="another name"):
        subscription(owner, NOWHERE, "mine")
    keeping.end(row, audit.MACHINE)
    subscription(owner, NOWHERE, "mine")


def test_mail_is_refused_where_the_site_sends_none_and_else_sent_without_a_receipt(owner, settings):
    wish = Wish("mail", Criteria(), Destination.EMAIL, "astronomer@example.org")
    with pytest.raises(keeping.Refused, match="EMAIL_URL"):
        subscribe(owner, wish, audit.Actor(owner))
    settings.ASTRID_SENDS_MAIL, settings.ASTRID_MAIL_FROM = True, "AstrID <astrid@example.org>"
    row, secret = subscribe(owner, wish, audit.Actor(owner))
    (alert,) = tell()
    work()
    (letter,) = mail.outbox
    delivery = Delivery.objects.get()
    assert (letter.to, letter.subject, secret) == (["astronomer@example.org"], "[AstrID] New source", "")
    assert letter.extra_headers["Message-ID"] == f"<{delivery.pk}@example.org>"
    assert states(row) == [("sent", 1, None)]
    alert.refresh_from_db()
    assert alert.status == "sent", "nobody has acknowledged it"
