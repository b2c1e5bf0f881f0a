"""Django behind an ASGI server: its threads keep their connections, and not more of them than are told."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest
from django.db import connection

from astrid_site.site.serving import KEPT
from tests.clients import account, token_of
from tests.siteserver import serving_site
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/v1/surveys/"
# Far more at once than threads stay.
RUSH = 5 * KEPT


@pytest.fixture
def site() -> Iterator[str]:
    with serving_site() as address:
        yield address


@pytest.fixture
def headers() -> dict[str, str]:
    return {"Authorization": f"Bearer {token_of(account('viewer'))}"}


def others() -> set[int]:
    """Return the processes of the database that serve connections other than this test's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        return {pid for (pid,) in cursor.fetchall()}


def test_requests_one_after_the_other_share_one_connection(site, headers):
    assert not others()
    seen = set()
    for _ in range(10):
        assert httpx.get(site + PATH, headers=headers).status_code == 200
        seen |= others()
    assert len(seen) == 1


def test_after_a_rush_a_few_threads_stay_and_with_the_server_all_are_gone(headers):
    with serving_site() as site:
        with ThreadPoolExecutor(RUSH) as people:
            answers = list(people.map(lambda _: httpx.get(site + PATH, headers=headers, timeout=60), range(4 * RUSH)))
        assert {answer.status_code for answer in answers} == {200}
        wait_for(lambda: 0 < len(others()) <= KEPT, lambda: f"{len(others())} connections")
    wait_for(lambda: not others(), lambda: "no connection is left")


def test_a_connection_that_broke_meanwhile_is_replaced_and_nobody_notices(site, headers):
    assert httpx.get(site + PATH, headers=headers).status_code == 200
    [broken] = others()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [broken])
    wait_for(lambda: broken not in others(), lambda: "it is gone")
    assert httpx.get(site + PATH, headers=headers).status_code == 200


def test_requests_that_come_slowly_hold_no_thread(site, headers):
    where = urlsplit(site)
    slow = [socket.create_connection((where.hostname, where.port)) for _ in range(RUSH + 40)]
    try:
        for one in slow:
            one.sendall(b"POST /api/v1/surveys/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        assert httpx.get(site + PATH, headers=headers, timeout=20).status_code == 200
        assert len(others()) == 1
    finally:
        for one in slow:
            one.close()
