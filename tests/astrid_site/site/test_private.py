"""What was shown to somebody is not to be had again after the log-out."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.browsers import client_of

pytestmark = pytest.mark.django_db
PAGES = ("/detections/", "/observations/", "/sources/", "/alerts/", "/jobs/", "/models/", "/profile/", "/")


@pytest.mark.parametrize("address", [*PAGES, "/no/such/page/"])
def test_a_page_is_kept_by_neither_proxy_nor_browser(address: str):
    kept = client_of("viewer").get(address)["Cache-Control"]
    assert "private" in kept and "no-store" in kept


def test_style_sheets_are_kept_and_rows_of_the_rest_interface_are_asked_for_again_by_their_tag(client: Client):
    assert "no-store" not in client.get("/static/css/site.css")["Cache-Control"]
    assert client_of("viewer").get("/api/v1/detections/")["Cache-Control"] == "private, no-cache"
