from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from curation.models import LabelDefinition, ValidationEvent
from tests.factories import AlertFactory, ValidationEventFactory

pytestmark = pytest.mark.django_db


def test_an_event_can_be_neither_changed_nor_deleted() -> None:
    event = ValidationEventFactory()
    events = ValidationEvent.objects
    for change in (lambda: events.update(is_valid=False), lambda: events.all().delete(), event.save):
        with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
            change()
    event.refresh_from_db()
    assert event.is_valid is True


NOT_EMPTIED = (
    "catalog_auditlog", "catalog_auditseal", "curation_validationevent", "curation_alertpublication",
    "curation_alertpacket",
)  # fmt: skip


@pytest.mark.parametrize("table", [*NOT_EMPTIED, "catalog_user"])
def test_what_is_only_ever_added_is_not_emptied_at_a_stroke_either(table: str) -> None:
    event = ValidationEventFactory()
    # Keys that are checked at the end would hold the table until then.
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(DatabaseError, match="only ever added: TRUNCATE refused"), transaction.atomic():
        connection.cursor().execute(f"TRUNCATE {table} CASCADE")
    assert ValidationEvent.objects.get().pk == event.pk


def test_an_event_keeps_the_key_that_its_client_made() -> None:
    key = uuid4()
    ValidationEventFactory(id=key)
    assert ValidationEvent.objects.get().pk == key


def test_the_column_of_the_validator_is_validator_id() -> None:
    with connection.cursor() as cursor:
        columns = {
            column.name
            for column in connection.introspection.get_table_description(cursor, ValidationEvent._meta.db_table)
        }
    assert "validator_id" in columns


def test_a_verdict_says_valid_or_not_and_a_withdrawal_names_what_it_takes_back() -> None:
    first = ValidationEventFactory()
    ValidationEventFactory(detection=first.detection, kind="withdrawal", is_valid=None, supersedes=first)
    with pytest.raises(IntegrityError, match="says_something"), transaction.atomic():
        ValidationEventFactory(is_valid=None)
    with pytest.raises(IntegrityError, match="says_something"):
        ValidationEventFactory(kind="withdrawal", is_valid=None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "guess"),
        ("confidence_level", "sure"),
        ("image_quality", "awful"),
        ("detection_quality", "awful"),
        ("seconds_taken", -1.0),
    ],
)
def test_the_database_refuses_an_unknown_grade(name: str, value: object) -> None:
    with pytest.raises(IntegrityError, match=name):
        ValidationEventFactory(**{name: value})


@pytest.mark.parametrize("name", ["alert_type", "priority", "status"])
def test_the_database_refuses_an_unknown_state_of_an_alert(name: str) -> None:
    with pytest.raises(IntegrityError, match=name):
        AlertFactory(**{name: "unknown"})


def test_the_starter_labels_agree_with_themselves() -> None:
    labels = LabelDefinition.objects.all()
    assert labels.count() >= 10
    # What is not in the sky of this frame is an artifact, and nothing else is.
    assert all(label.is_valid == (label.detection_type != "artifact") for label in labels)
    assert {"supernova_candidate", "asteroid", "agn", "satellite", "reference_only"} <= set(
        labels.values_list("label", flat=True)
    )
