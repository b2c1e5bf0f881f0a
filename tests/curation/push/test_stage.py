"""Subscribers get what they asked for, whatever receivers do: nothing is lost, and a double has the same key."""

from __future__ import annotations

import json
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from catalog.files import posting
from curation.models import Alert, Delivery, Subscription
from curation.push import stage
from tests.curation.push.pushing import make_due, states, subscription, tell, work
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
