"""The audit log for clients."""

from __future__ import annotations

import pytest

from catalog.people import audit
from tests.clients import client_of
from tests.factories import ObservationFactory

pytestmark = pytest.mark.django_db


def test_the_audit_log_is_read_by_what_it_is_about():
    row = ObservationFactory()
    audit.record(row, "archive_observation")
    audit.record(("night", "2024-03-01"), "look")
    found = client_of("administrator").get(f"/api/v1/audit-log/?entity_type=observation&entity_id={row.pk}").json()
    assert [line["action"] for line in found["results"]] == ["archive_observation"]
