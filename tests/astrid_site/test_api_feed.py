"""Clients that wait for alerts, at a real web server: told of each publication, and nothing is held meanwhile."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection

from astrid_site.site.serving import KEPT, Site
from astrid_site.streaming.waiting import Waiting
from catalog.cursors import packed
from catalog.ids import uuid7
from catalog.models import ApiToken
from catalog.people import audit
from catalog.people.tokens import revoke
from curation.alerts.publishing import publish_pending
from curation.models import Alert
from tests.clients import account, token_of
from tests.factories import AlertFactory
from tests.siteserver import serving_site
from tests.waiting import PATIENCE_SECONDS, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
FEED, STREAM = "/api/v1/alerts/feed/", "/api/v1/alerts/stream"
DOCS = Path(__file__).resolve().parent.parent.parent / "docs" / "api.md"
# The longest that a client may ask to wait; so long after the publication, nobody was told of it.
LONGEST_WAIT_SECONDS = 60


@pytest.fixture
def token() -> str:
    return token_of(account("viewer"))


@pytest.fixture
def door() -> Waiting:
    return Waiting(Site())


@pytest.fixture
def site(door: Waiting) -> Iterator[str]:
    with serving_site(door) as address:
        yield address


@pytest.fixture
def client(site: str, token: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site, headers={"Authorization": f"Token {token}"}, timeout=PATIENCE_SECONDS) as client:
        yield client


def publish(count: int = 1) -> None:
    for _ in range(count):
        AlertFactory()
    publish_pending()


def listeners() -> list[int]:
    """Return the processes of the database's server that listen for alerts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE application_name = '' AND query LIKE '%max(sequence)%'")
        return [pid for (pid,) in cursor.fetchall() if pid != connection.connection.info.backend_pid]


def connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return cursor.fetchone()[0]


@pytest.fixture
def waiting(client: httpx.Client, door: Waiting) -> Any:
    @contextmanager
    def wait(count: int) -> Iterator[list[Future[tuple[float, httpx.Response]]]]:
        """Let so many requests wait, and begin when all of them are held."""

        def ask() -> tuple[float, httpx.Response]:
            answer = client.get(FEED, params={"wait": LONGEST_WAIT_SECONDS})
            return time.monotonic(), answer

        with ThreadPoolExecutor(count) as pool:
            asked = [pool.submit(ask) for _ in range(count)]
            wait_for(lambda: door.kept == count, lambda: "the waiting clients")
            wait_for(listeners, lambda: "the listening connection")
            yield asked

    return wait


def test_who_waits_is_told_of_the_publication_and_not_when_the_time_is_over(client, waiting):
    with waiting(1) as (asked,):
        published = time.monotonic()
        publish()
        told, answer = asked.result()
    assert told - published < LONGEST_WAIT_SECONDS
    assert [row["sequence"] for row in answer.json()["results"]] == [1]
    assert "x-astrid-hold" not in answer.headers
    assert client.get(FEED, params={"since": answer.json()["next_since"]}).json()["results"] == []


def test_who_waits_in_vain_is_told_so_when_the_time_is_over(client):
    begun = time.monotonic()
    answer = client.get(FEED, params={"wait": 1})
    assert time.monotonic() - begun >= 1.0
    assert answer.json() == {"results": [], "next_since": "", "numbering": None, "latest": 0, "lag": 0}


def test_what_is_there_already_is_not_waited_for(client):
    publish(3)
    begun = time.monotonic()
    assert len(client.get(FEED, params={"wait": LONGEST_WAIT_SECONDS, "page_size": 2}).json()["results"]) == 2
    assert time.monotonic() - begun < LONGEST_WAIT_SECONDS


def test_forty_that_wait_hold_neither_threads_nor_connections_and_all_are_told(client, waiting):
    before = threading.active_count()
    with waiting(40) as asked:
        # Forty of this test's own, that ask; the server's are its loop and a few that are idle, once the rush is over.
        wait_for(
            lambda: threading.active_count() - before - 40 < 15,
            lambda: f"{threading.active_count() - before - 40} threads",
        )
        wait_for(
            lambda: connections() <= 2 + KEPT,
            lambda: "those that any requests leave, this test's, and the one that listens",
        )
        publish()
        answers = [future.result()[1] for future in asked]
    assert {answer.status_code for answer in answers} == {200}
    assert all([row["sequence"] for row in answer.json()["results"]] == [1] for answer in answers)


def test_more_than_may_wait_are_told_to_come_again(client, settings, waiting):
    settings.ASTRID_MOST_WAITING = 1
    with waiting(1) as (asked,):
        answer = client.get(FEED, params={"wait": 30})
        assert (answer.status_code, answer.json()["code"]) == (503, "too_many_waiting")
        assert answer.headers["Retry-After"]
        publish()
        assert asked.result()[1].status_code == 200


def test_a_place_is_free_again_when_its_client_has_gone(client, settings):
    settings.ASTRID_MOST_WAITING = 1
    with pytest.raises(httpx.ReadTimeout):
        client.get(FEED, params={"wait": 30}, timeout=1.0)
    wait_for(lambda: client.get(FEED, params={"wait": 1}).status_code == 200, lambda: "a free place")


def test_when_the_listening_connection_breaks_who_waits_is_told_all_the_same(client, waiting):
    with waiting(1) as (asked,):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", listeners()[:1])
        publish()
        assert [row["sequence"] for row in asked.result()[1].json()["results"]] == [1]


def test_a_token_that_was_revoked_while_it_waited_gets_nothing_more(client, waiting):
    with waiting(1) as (asked,):
        revoke(ApiToken.objects.get(), audit.MACHINE)
        publish()
        answer = asked.result()[1]
    assert (answer.status_code, answer.json()["code"]) == (401, "token_revoked")


def test_what_was_asked_wrong_or_without_a_token_is_not_held(client, site):
    assert client.get(FEED, params={"wait": 30, "since": "x"}).status_code == 404
    assert httpx.get(f"{site}{FEED}", params={"wait": 30}).status_code == 401
    assert httpx.get(f"{site}{STREAM}").headers["content-type"] == "application/problem+json"


def test_a_stream_brings_each_publication_once_as_it_comes_and_ends_with_its_token(client):
    publish(2)
    with client.stream("GET", STREAM, params={"page_size": 1}) as stream:
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["cache-control"] == "no-store" and "content-length" not in stream.headers
        lines = (line for line in stream.iter_lines() if line.startswith("id: "))
        cursors = [next(lines), next(lines)]
        publish()
        cursors.append(next(lines))
        revoke(ApiToken.objects.get(), audit.MACHINE)
        publish()
        assert list(lines) == []
    assert len(set(cursors)) == 3


def test_a_stream_that_broke_off_goes_on_after_the_last_event(client):
    publish(3)
    with client.stream("GET", STREAM) as stream:
        cursor = next(line for line in stream.iter_lines() if line.startswith("id: ")).removeprefix("id: ")
    with client.stream("GET", STREAM, headers={"Last-Event-ID": cursor}) as stream:
        data = (line for line in stream.iter_lines() if line.startswith("data: "))
        assert ['"sequence":2,' in next(data), '"sequence":3,' in next(data)] == [True, True]


def test_who_has_a_cursor_of_another_numbering_is_not_held_and_a_page_that_is_known_is(client, door):
    publish()
    page = client.get(FEED)
    ahead = packed(f"p1.{uuid7()}")
    for asked in ({"since": ahead, "wait": 30}, {"since": packed("s2"), "wait": 30}):
        answer = client.get(FEED, params=asked)
        assert (answer.status_code, answer.json()["code"]) == (409, "other_numbering")
    assert client.get(STREAM, headers={"Last-Event-ID": ahead}).status_code == 409
    end = {"since": page.json()["next_since"], "wait": 1}
    known = {"If-None-Match": client.get(FEED, params=end).headers["etag"]}
    with ThreadPoolExecutor(1) as pool:
        asked_again = pool.submit(client.get, FEED, params={**end, "wait": 30}, headers=known)
        wait_for(lambda: door.kept == 1)
        publish()
        assert [row["sequence"] for row in asked_again.result().json()["results"]] == [2]


def test_a_reader_killed_again_and_again_misses_nothing_and_has_nothing_twice(site, token, tmp_path):
    (example,) = re.findall(r"```python\n(import json, os, sqlite3.*?)```", DOCS.read_text(), flags=re.DOTALL)
    assert len(example.strip().splitlines()) <= 12
    kept = tmp_path / "alerts.db"
    environment = {**os.environ, "ASTRID_URL": site, "ASTRID_TOKEN": token}

    def read() -> list[int]:
        try:
            with closing(sqlite3.connect(kept)) as store:
                return [sequence for (sequence,) in store.execute("SELECT sequence FROM alerts ORDER BY rowid")]
        except sqlite3.OperationalError:
            return []  # It has not begun yet.

    for turn in range(4):
        reader = subprocess.Popen([sys.executable, "-c", example], cwd=tmp_path, env=environment)
        try:
            publish(5)
            wait_for(lambda turn=turn: len(read()) > 8 * turn, lambda: "what was published")
        finally:
            # Amid whatever it does.
            publish(3)
            reader.send_signal(signal.SIGKILL)
            reader.wait()
    reader = subprocess.Popen([sys.executable, "-c", example], cwd=tmp_path, env=environment)
    try:
        wait_for(lambda: len(read()) >= 32, lambda: "the rest")
    finally:
        reader.kill()
        reader.wait()
    assert read() == list(range(1, 33))
    assert Alert.objects.filter(status="sent").count() == 32


# --- How large a request may be ---
def test_a_request_that_is_too_large_is_refused_before_it_is_read(client, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE, settings.ASTRID_MAX_UPLOAD_MB = 1000, 1
    answer = client.post("/api/v1/validation-events/", json={"notes": "x" * 2000})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    answer = client.post("/api/v1/observations/", files={"file": b"x" * 2_100_000})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert client.post("/api/v1/observations/", files={"file": b"x" * 5000}).json()["code"] == "role_lacks"
    assert client.post("/accounts/login/", data={"username": "x" * 2000}).status_code == 413


def test_a_request_that_does_not_say_how_large_it_is_is_refused(client):
    answer = client.post("/api/v1/validation-events/", content=iter([b"{}"]))
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")


def test_who_waits_for_what_comes_from_now_on_is_told_of_it_and_of_nothing_before(client: httpx.Client):
    publish(2)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.get, FEED, params={"start": "now", "wait": 30})
        wait_for(lambda: listeners() != [])
        publish()
        answer = asked.result().json()
    assert [row["sequence"] for row in answer["results"]] == [3]
    assert (answer["latest"], answer["lag"]) == (3, 0)
    assert client.get(FEED, params={"start": "now"}).json()["results"] == []
    assert client.get(FEED, params={"page_size": 1}).json()["lag"] == 2
