"""The feed as readers have it: every publication once, in one order, however many write and publish at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from catalog.models import User
from curation.alerts.feed import CursorRefused, feed_page
from curation.alerts.publishing import publish_pending
from curation.models import AlertPublication
from tests.factories import AlertFactory, DetectionFactory, UserFactory
from tests.waiting import PATIENCE_SECONDS

READER = User(is_superuser=True)


@pytest.mark.django_db
def test_a_page_ends_with_the_cursor_of_the_next_and_an_empty_one_with_the_same():
    for _ in range(5):
        AlertFactory()
    publish_pending()
    first, since = feed_page("", 2, READER)
    second, then = feed_page(since, 10, READER)
    assert [row.sequence for row in (*first, *second)] == [1, 2, 3, 4, 5]
    assert feed_page(then, 10, READER) == ([], then)
    assert feed_page("", 0, READER) == ([], "")


@pytest.mark.django_db
def test_who_may_not_see_publications_reads_none():
    AlertFactory()
    publish_pending()
    assert feed_page("", 10, UserFactory()) == ([], "")


@pytest.mark.django_db(transaction=True)
def test_with_eight_writers_and_two_publishers_a_reader_misses_nothing_and_sees_nothing_twice():
    detection = DetectionFactory()
    each, writers = 25, 8
    ended = threading.Event()

    def write(number: int) -> None:
        try:
            for k in range(each):
                with transaction.atomic():
                    AlertFactory(detection=detection, title=f"{number}/{k}")
                    # Some are committed long after others that were made later.
                    with connection.cursor() as cursor:
                        cursor.execute("SELECT pg_sleep(%s)", [0.01 * ((number + k) % 3)])
        finally:
            connection.close()

    def publish() -> None:
        try:
            while not ended.is_set():
                publish_pending()
            publish_pending()
        finally:
            connection.close()

    read: list[int] = []

    def follow() -> None:
        since = ""
        try:
            while len(read) < each * writers:
                rows, since = feed_page(since, 7, READER)
                read.extend(row.sequence for row in rows)
        finally:
            connection.close()

    with ThreadPoolExecutor(writers + 3) as pool:
        reader = pool.submit(follow)
        publishers = [pool.submit(publish) for _ in range(2)]
        list(pool.map(write, range(writers)))
        ended.set()
        for publisher in publishers:
            publisher.result()
        reader.result(timeout=PATIENCE_SECONDS)
    assert read == list(range(1, each * writers + 1))
    assert AlertPublication.objects.values("alert").distinct().count() == each * writers


@pytest.mark.django_db
@pytest.mark.parametrize("cursor", ["x", "!!!!", "c2", "czEyMzQ1Njc4OTAxMjM0NTY3ODkw", "ü"])
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(CursorRefused, match="next_since"):
        feed_page(cursor, 10, UserFactory())
