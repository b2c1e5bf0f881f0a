"""Packets are written by one process at a time, which takes no thread from those who publish."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from curation.alerts.publishing import publish_pending
from curation.models import AlertPacket
from curation.packets import keeping
from tests.factories import AlertFactory
from tests.waiting import PATIENCE_SECONDS


@pytest.mark.django_db(transaction=True)
def test_where_another_process_writes_packets_nobody_waits_for_it(empty_data_root, monkeypatch):
    AlertFactory()
    publish_pending()
    make = keeping.facts_of

    def other() -> int:
        try:
            return keeping.take_turn()
        finally:
            connection.close()

    def meanwhile(row):
        assert not connection.in_atomic_block, "no transaction stands open while a packet is made"
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(other).result(timeout=PATIENCE_SECONDS) == 0
        return make(row)

    monkeypatch.setattr(keeping, "facts_of", meanwhile)
    assert keeping.take_turn() == 1
    monkeypatch.setattr(keeping, "facts_of", make)
    assert keeping.take_turn() == 0 and AlertPacket.objects.count() == 1
    AlertFactory()
    publish_pending()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(other).result(timeout=PATIENCE_SECONDS) == 1, "the lock was given back"
