"""The feed as readers have it: every publication once, in one order, however many write and publish at once."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from catalog.cursors import CursorRefused, packed
from catalog.models import User
from curation.alerts.feed import FeedPage, OtherNumbering, feed_page
from curation.alerts.publishing import publish_pending
from curation.models import AlertPublication
from tests.factories import AlertFactory, DetectionFactory, UserFactory
from tests.waiting import PATIENCE_SECONDS

READER = User(is_superuser=True)


def publish(count: int = 1) -> None:
    for _ in range(count):
        AlertFactory()
    publish_pending()


def sequences(page: FeedPage) -> list[int]:
    return [row.sequence for row in page.rows]


@contextmanager
def restored() -> Iterator[None]:
    """Go back to how the database was: what happened meanwhile is in no backup."""
    backup = transaction.savepoint()
    yield
    transaction.savepoint_rollback(backup)


@pytest.mark.django_db
def test_a_page_ends_with_the_cursor_of_the_next_and_an_empty_one_with_the_same():
    publish(5)
    first = feed_page("", 2, READER)
    second = feed_page(first.next_since, 10, READER)
    assert sequences(first) + sequences(second) == [1, 2, 3, 4, 5]
    end = feed_page(second.next_since, 10, READER)
    assert (end.rows, end.next_since) == ([], second.next_since)
    assert (feed_page("", 0, READER).rows, feed_page("", 0, READER).next_since) == ([], "")


@pytest.mark.django_db
def test_who_may_not_see_publications_reads_none():
    publish()
    assert feed_page("", 10, UserFactory()).rows == []


@pytest.mark.django_db
def test_a_reader_that_was_ahead_of_a_restored_backup_is_told_until_it_begins_again():
    publish(3)
    with restored():
        publish(2)
        ahead = feed_page("", 10, READER).next_since
    with pytest.raises(OtherNumbering, match="published_from"):
        feed_page(ahead, 10, READER)
    publish()
    with pytest.raises(OtherNumbering):
        feed_page(ahead, 10, READER)
    assert sequences(feed_page("", 10, READER)) == [1, 2, 3, 4]


@pytest.mark.django_db
def test_a_reader_is_told_also_when_the_new_numbers_have_overtaken_its_own():
    publish(3)
    with restored():
        publish(2)
        ahead = feed_page("", 10, READER).next_since
    publish(4)
    with pytest.raises(OtherNumbering):
        feed_page(ahead, 10, READER)


@pytest.mark.django_db
def test_a_reader_that_was_not_ahead_goes_on_and_misses_nothing():
    publish(3)
    kept = feed_page("", 2, READER).next_since
    with restored():
        publish(2)
    publish(2)
    assert sequences(feed_page(kept, 10, READER)) == [3, 4, 5]


@pytest.mark.django_db
def test_an_empty_feed_knows_no_cursor_and_another_feed_has_another_numbering():
    with restored():
        publish()
        page = feed_page("", 10, READER)
    assert feed_page("", 10, READER).numbering is None
    with pytest.raises(OtherNumbering):
        feed_page(page.next_since, 10, READER)
    publish()
    other = feed_page("", 10, READER)
    assert other.numbering == other.rows[0].publication != page.numbering
    assert feed_page(other.next_since, 10, READER).numbering == other.numbering


@pytest.mark.django_db
def test_a_cursor_of_a_former_version_is_read_on_from_and_refused_beyond_the_end():
    publish(3)
    assert sequences(feed_page(packed("s2"), 10, READER)) == [3]
    end = feed_page(packed("s3"), 10, READER)
    assert (end.rows, end.next_since) == ([], packed("s3"))
    for beyond in ("s4", "s999999999999999999"):
        with pytest.raises(OtherNumbering):
            feed_page(packed(beyond), 10, READER)


@pytest.mark.django_db
def test_the_feed_is_read_from_a_time_on():
    publish()
    publish()
    moment = AlertPublication.objects.get(sequence=2).published_at
    later = moment + dt.timedelta(hours=1)
    assert sequences(feed_page("", 10, READER, published_from=moment)) == [2]
    assert sequences(feed_page("", 10, READER, published_from=moment - dt.timedelta(hours=1))) == [1, 2]
    waiting = feed_page("", 10, READER, published_from=later)
    assert waiting.rows == []
    publish()
    assert sequences(feed_page(waiting.next_since, 10, READER)) == [3]


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
                page = feed_page(since, 7, READER)
                since = page.next_since
                read.extend(sequences(page))
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
@pytest.mark.parametrize(
    "cursor",
    ["x", "!!!!", "c2", "czEyMzQ1Njc4OTAxMjM0NTY3ODkw", "ü", packed("s"), packed("p3"), packed("p3.x"), packed("s²")],
)
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(CursorRefused, match="next_since"):
        feed_page(cursor, 10, UserFactory())
