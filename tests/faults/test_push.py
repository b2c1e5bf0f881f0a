"""Workers die while they send: every alert arrives all the same, and what comes twice has the same key."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest

from tests.faults.system import System, system, wait_for
from tests.receivers import Answer, Receivers, hanging, receiving, saying

pytestmark = pytest.mark.faults

ALERTS = 120
PREPARE = """
from catalog.people import audit
from curation.models import Destination
from curation.alerts.criteria import Criteria
from curation.push.keeping import Wish, subscribe
from tests.clients import account
owner = account("curator")
for address in {addresses}:
    subscribe(owner, Wish(address, Criteria(), Destination.WEBHOOK, address), audit.Actor(owner))
"""
PUBLISH = """
from curation.alerts.publishing import publish_pending
from tests.factories import AlertFactory, DetectionFactory
detection = DetectionFactory()
for _ in range({count}):
    AlertFactory(detection=detection, alert_metadata={{"basis": "human"}})
publish_pending()
"""
OPEN = "SELECT count(*) FROM curation_delivery WHERE status <> 'delivered'"


def slowly(answer: Answer) -> Answer:
    """Answer after a moment, in which a worker may die."""

    def later(handler) -> None:
        time.sleep(0.3)
        answer(handler)

    return later


def test_workers_that_are_killed_amid_sending_lose_nothing_and_a_dead_receiver_holds_up_nobody():
    with receiving() as receivers, system(ASTRID_OUTGOING_HOSTS=receivers.host) as whole:
        receivers.after = {"/a": [slowly(saying(204))], "/dead": [hanging(receivers)]}
        whole.manage("migrate")
        _shell(whole, PREPARE.format(addresses=[receivers.url("/a"), receivers.url("/dead")]))
        _shell(whole, PUBLISH.format(count=ALERTS))
        for name in ("light", "beat", "deliveries"):
            whole.start(name)
        wait_for(lambda: len(_keys(receivers)) >= 0.3 * ALERTS, whole.jobs)
        whole.kill("deliveries")
        whole.start("deliveries")
        wait_for(lambda: len(_keys(receivers)) == ALERTS, whole.jobs)
        of_dead = f"{OPEN} AND subscription_id IN (SELECT id FROM curation_subscription WHERE address LIKE '%%/dead')"
        wait_for(lambda: whole.query(OPEN) == whole.query(of_dead), whole.jobs)
        twice = [key for key, count in Counter(_keys(receivers, every=True)).items() if count > 1]
        sequences = Counter(json.loads(one.body)["data"]["sequence"] for one in receivers.at("/a"))
        assert len(sequences) == ALERTS, "each has its one key"
        assert len([count for count in sequences.values() if count > 1]) == len(twice)
        ((status, count),) = whole.query("SELECT status, count(*) FROM curation_alert GROUP BY status")
        assert (status, count) == ("sent", ALERTS), "one has yet to acknowledge them"


def _keys(receivers: Receivers, *, every: bool = False) -> list[str] | set[str]:
    keys = [one.key for one in receivers.at("/a")]
    return keys if every else set(keys)


def _shell(whole: System, program: str) -> None:
    whole.manage("shell", "--no-imports", "-c", program)
