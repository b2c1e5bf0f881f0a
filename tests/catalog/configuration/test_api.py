"""The configuration for clients."""

from __future__ import annotations

import pytest

from catalog.configuration import values
from catalog.configuration.keys import DECLARED
from catalog.people import audit
from tests.clients import client_of, refused

pytestmark = pytest.mark.django_db
CONFIG = "/api/v1/system-config/"


def test_every_declared_key_is_listed_with_value_default_and_bounds():
    values.set_value("alerts.update_mag", 0.5, audit.MACHINE)
    client = client_of("administrator")
    rows = {row["key"]: row for row in client.get(f"{CONFIG}?page_size=500").json()["results"]}
    assert set(rows) == set(DECLARED)
    row = rows["alerts.update_mag"]
    assert (row["value"], row["default"], row["minimum"], row["maximum"]) == (0.5, 0.3, 0.01, 10.0)
    assert row["is_active"] and row["description"]
    assert rows["alerts.min_human_confidence"]["choices"] == ["low", "medium", "high", "expert"]
    assert client.get(f"{CONFIG}alerts.update_mag/").json() == row
    refused(client.get(f"{CONFIG}alerts.nothing/"), 404, "not_found")


def test_the_pages_of_the_configuration_together_are_all_of_it():
    client, names, page = client_of("administrator"), [], f"{CONFIG}?page_size=7"
    while page:
        answer = client.get(page).json()
        names += [row["key"] for row in answer["results"]]
        page = answer["next"]
    assert names == sorted(DECLARED)
    refused(client.get(f"{CONFIG}?cursor=x"), 404, "not_found")
