"""How often each page and list asks the database: recorded in `queries.json`, and no more for many rows than for few.

Set ASTRID_RECORD_QUERIES=1 to write the record anew, and read what changed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.browsers import staff_of
from tests.factories import (
    AlertFactory,
    NoteFactory,
    PreprocessRunFactory,
    ProcessingJobFactory,
    SavedFilterFactory,
    SubscriptionFactory,
    ValidationEventFactory,
)
from tests.routes import ROUTES
from tests.rows import rows_of_every_kind

pytestmark = pytest.mark.django_db
RECORD = Path(__file__).with_name("queries.json")
LISTS = sorted(
    name
    for name, routes in ROUTES.items()
    for route in routes
    if route.method == "get"
    and route.keys is list
    and "administrator" in route.may
    # Read on a connection of its own, with one cursor for all rows.
    and not name.endswith("-export")
    # Of no rows; and closed but to a few addresses, whose own test counts.
    and name not in ("api:schema", "api:docs", "metrics")
)


def _more_rows(number: int) -> None:
    for _ in range(number):
        event = ValidationEventFactory()
        AlertFactory(detection=event.detection)
        NoteFactory(detection=event.detection)
        PreprocessRunFactory()
        ProcessingJobFactory(status="failed", failure_code="no_wcs", error_message="None.")
        SavedFilterFactory()
        SubscriptionFactory()
        rows_of_every_kind()


def _asked(client: Client, name: str) -> int:
    address = reverse(name)
    # What a process keeps for later is there at the second time.
    b"".join(client.get(address))
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(address)
        b"".join(answer)
    # Some parts of pages are of nothing where nothing is named.
    assert answer.status_code in (200, 204, 302, 400, 409, 503), (name, answer.status_code)
    return len(asked)


@pytest.fixture(scope="module")
def counted(django_db_setup: None, django_db_blocker: Any) -> tuple[dict[str, int], dict[str, int]]:
    """Return what each list asks while there are few rows, and while there are five times as many."""
    with django_db_blocker.unblock(), transaction.atomic():
        client = staff_of("administrator")
        _more_rows(1)
        few = {name: _asked(client, name) for name in LISTS}
        _more_rows(4)
        many = {name: _asked(client, name) for name in LISTS}
        transaction.set_rollback(True)
    return few, many


def test_no_list_asks_more_often_for_many_rows_than_for_few(counted):
    few, many = counted
    assert {name: (few[name], many[name]) for name in LISTS if many[name] > few[name]} == {}


def test_each_list_asks_as_often_as_is_recorded(counted):
    _, many = counted
    if os.environ.get("ASTRID_RECORD_QUERIES"):
        RECORD.write_text(json.dumps(many, indent=1) + "\n")
    assert many == json.loads(RECORD.read_text())
