"""What holds of every list for clients: its scope, the index behind each order, and that nobody writes into it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.urls import reverse
from pyarrow import parquet

from astrid_site.site.api import RESOURCES
from catalog.models import ApiTokenQuerySet, RecordQuerySet, User
from catalog.people import audit
from catalog.people.scopes import SCOPES
from catalog.web.rest.views import RowViewSet
from curation.alerts.api import AlertViewSet
from curation.alerts.publishing import publish_pending
from curation.models.push import DeliveryQuerySet, SubscriptionQuerySet
from tests.clients import client_of
from tests.factories import (
    AlertFactory,
    PreprocessRunFactory,
    ProcessingJobFactory,
    ValidationEventFactory,
)
from tests.rows import rows_of_every_kind

LISTS = [view for view in RESOURCES if issubclass(view, RowViewSet)]
ORDERINGS = [(view, name) for view in LISTS for name in view.orderings]


@pytest.fixture(scope="module")
def _rows(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Make the rows for all tests of this file, and take them back."""
    with django_db_blocker.unblock(), transaction.atomic():
        event = ValidationEventFactory(notes="<script>")
        AlertFactory(detection=event.detection)
        PreprocessRunFactory()
        ProcessingJobFactory()
        rows_of_every_kind()
        audit.record(event, "look")
        publish_pending()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def one_of_each(_rows: None, db: None) -> None:
    """Give a test the rows, and take back what it does to them."""


@pytest.mark.parametrize("view", RESOURCES, ids=lambda view: view.resource)
def test_reading_needs_the_permission_to_view_the_model(view: Any):
    meta = view.queryset.model._meta
    assert SCOPES[f"{view.resource}:read"].permission == f"{meta.app_label}.view_{meta.model_name}"


def test_every_scope_is_one_of_a_list():
    assert {name.split(":")[0] for name in SCOPES} == {view.resource for view in RESOURCES}


@pytest.mark.django_db
@pytest.mark.parametrize(("view", "name"), ORDERINGS, ids=lambda value: getattr(value, "resource", value))
def test_an_index_carries_every_order_that_is_offered(view: Any, name: str):
    columns = view.orderings[name]
    names = columns if columns[-1].lstrip("-") == "id" else (*columns, "id")
    with connection.cursor() as cursor:
        for setting in ("enable_seqscan", "enable_sort", "enable_incremental_sort", "enable_bitmapscan"):
            cursor.execute(f"SET LOCAL {setting} = off")
    plan = view.queryset.order_by(*names)[:101].explain()
    assert "Index" in plan and "Sort" not in plan, plan


def test_every_list_row_and_feed_shows_only_what_is_visible_to_the_one_who_asks(one_of_each, monkeypatch):
    client = client_of("administrator")
    keys = {view: client.get(reverse(f"api:{view.resource}-list")).json()["results"][0]["id"] for view in LISTS}
    asked: list[Any] = []

    def nothing(rows: RecordQuerySet, user: Any) -> RecordQuerySet:
        asked.append(user)
        return rows.none()

    for kind in (RecordQuerySet, ApiTokenQuerySet, SubscriptionQuerySet, DeliveryQuerySet):
        monkeypatch.setattr(kind, "visible_to", nothing)
    for view, key in keys.items():
        assert client.get(reverse(f"api:{view.resource}-list")).json()["results"] == []
        assert client.get(reverse(f"api:{view.resource}-detail", args=[key])).status_code == 404
    assert client.get(reverse("api:alerts-feed")).json()["results"] == []
    assert client.get(reverse("api:alerts-stream")).content == b""
    assert client.post(reverse("api:alerts-acknowledge", args=[keys[AlertViewSet]])).status_code == 404
    assert {user.username for user in asked} == {User.objects.get(api_tokens__isnull=False).username}


@pytest.mark.parametrize("view", LISTS, ids=lambda view: view.resource)
def test_no_client_writes_what_machines_made(view: Any, one_of_each):
    client = client_of("administrator")
    row = client.get(reverse(f"api:{view.resource}-list")).json()["results"][0]
    address = reverse(f"api:{view.resource}-detail", args=[row["id"]])
    before = client.get(address).json()
    for method in (client.put, client.patch, client.delete):
        assert method(address, json.dumps({"status": "x"}), content_type="application/json").status_code == 405
    assert client.get(address).json() == before
    assert {name: before[name] for name in row} == row


@pytest.mark.parametrize("view", LISTS, ids=lambda view: view.resource)
@pytest.mark.parametrize("form", ["csv", "votable", "parquet"])
def test_every_list_and_row_is_given_as_a_table_too(view: Any, form: str, one_of_each):
    client = client_of("administrator")
    address = reverse(f"api:{view.resource}-list")
    key = client.get(address).json()["results"][0]["id"]
    for path in (address, f"{address}{key}/"):
        answer = client.get(f"{path}?format={form}")
        content = answer.content if form != "parquet" else str(parquet.read_table(io.BytesIO(answer.content))).encode()
        assert answer.status_code == 200 and key.encode() in content


@pytest.mark.parametrize("view", LISTS, ids=lambda view: view.resource)
def test_every_list_is_had_whole_with_the_rows_that_its_pages_have(view: Any, one_of_each):
    client = client_of("administrator")
    address = reverse(f"api:{view.resource}-list")
    rows = client.get(address, {"page_size": 1000, "ordering": _by_key(view)}).json()["results"]
    lines = b"".join(client.get(f"{address}export/", {"format": "jsonl"})).splitlines()
    assert [json.loads(line) for line in lines] == sorted(rows, key=lambda row: row["id"])


def _by_key(view: Any) -> str:
    return "id" if "id" in view.orderings else next(iter(view.orderings))


@pytest.mark.parametrize("view", LISTS, ids=lambda view: view.resource)
def test_what_cannot_be_read_is_refused_with_a_sentence_whatever_stands_in_it(one_of_each: None, view: Any):
    """Signs of a percentage and of a format are quoted in sentences, and are no part of them."""
    client = client_of("administrator")
    for name in view.filterset_class.base_filters if view.filterset_class else ():
        for sent in ("100%s", "%(value)s{0}", "50%"):
            answer = client.get(f"/api/v1/{view.resource}/", {name: sent})
            assert answer.status_code in (200, 400, 404), (name, sent, answer.content)


@pytest.mark.parametrize("path", ["alerts/feed/", "alerts/stream", "tonight/"])
def test_signs_of_a_percentage_break_no_narrowed_feed(one_of_each: None, path: str):
    client = client_of("administrator")
    for name in ("kind", "priority", "detection_type", "label", "basis", "cone", "filter", "telescope", "score_min"):
        answer = client.get(f"/api/v1/{path}", {name: "100%s"})
        assert answer.status_code in (200, 400, 404), (name, answer.content)


def test_a_time_whose_utc_lies_beyond_all_years_is_the_first_or_the_last(one_of_each: None):
    client = client_of("administrator")
    for given, found in (("created_at__gte", True), ("created_at__lte", False)):
        answer = client.get("/api/v1/alerts/", {given: "0001-01-01T00:00:00+10:00"}).json()
        assert bool(answer["results"]) is found
    assert client.get("/api/v1/alerts/", {"created_at__lte": "9999-12-31T23:59:59-10:00"}).json()["results"]
