"""Lists whose rows tell what others judged are empty for who judges blind, and for nobody else."""

from __future__ import annotations

import pytest

from catalog.configuration.values import set_value
from catalog.people.audit import MACHINE
from tests.clients import account, client_of
from tests.factories import DeliveryFactory, ReportAttemptFactory, ReportFactory, ReportRowFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("resource", "make"),
    [
        ("deliveries", lambda user: DeliveryFactory(subscription__owner=user)),
        ("reports", lambda user: ReportFactory(person=user)),
        ("report-rows", lambda user: ReportRowFactory(report__person=user)),
        ("report-attempts", lambda user: ReportAttemptFactory(report__person=user)),
    ],
)
def test_what_was_told_of_a_detection_is_no_row_for_who_judges_blind(resource, make):
    expert, address = account("expert"), f"/api/v1/{resource}/"
    row = make(expert)
    client = client_of(expert)
    assert [found["id"] for found in client.get(address).json()["results"]] == [str(row.pk)]
    set_value("curation.blind", True, MACHINE)
    assert client.get(address).json()["results"] == []
    assert client.get(f"{address}{row.pk}/").status_code == 404
