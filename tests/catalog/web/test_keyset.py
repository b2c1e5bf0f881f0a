"""Pages of a list: together they are the list, in order, from either end, whatever is equal or missing."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from catalog.cursors import CursorRefused
from catalog.ids import uuid7
from catalog.models import ProcessingJob
from catalog.web.keyset import page_of
from detection.models import Source
from tests.factories import ProcessingJobFactory, SourceFactory

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 1, tzinfo=UTC)


def _walk(rows, ordering, size):
    """Return all rows page by page, then all of them from the last page back."""
    forward, cursor = [], ""
    while True:
        page = page_of(rows, ordering, cursor, size)
        forward.append(page.rows)
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    backward = [page.rows]
    while page.previous_cursor is not None:
        page = page_of(rows, ordering, page.previous_cursor, size)
        backward.insert(0, page.rows)
    return [row for page in forward for row in page], [row for page in backward for row in page]


@pytest.mark.parametrize("ordering", [["-priority", "scheduled_at"], ["priority", "-created_at", "-id"], ["-id"]])
@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_the_pages_together_are_the_list(ordering, size):
    for number in range(12):
        # Microseconds apart, and many of one priority: neither may be lost between two pages.
        ProcessingJobFactory(priority=number % 3, scheduled_at=START + timedelta(microseconds=number // 2))
    names = ordering if ordering[-1].lstrip("-") == "id" else [*ordering, "id"]
    expected = list(ProcessingJob.objects.order_by(*names))
    assert _walk(ProcessingJob.objects.all(), ordering, size) == (expected, expected)


@pytest.mark.parametrize("ordering", [["last_detected_at"], ["-last_detected_at"]])
def test_rows_without_a_value_have_their_place(ordering):
    for number in range(9):
        SourceFactory(last_detected_at=None if number % 3 else START + timedelta(days=number))
    expected = list(Source.objects.order_by(*ordering, "id"))
    assert _walk(Source.objects.all(), ordering, 2) == (expected, expected)


def test_a_row_added_before_the_place_where_one_reads_moves_nothing():
    jobs = [ProcessingJobFactory(priority=number) for number in range(4)]
    first = page_of(ProcessingJob.objects.all(), ["-priority"], "", 2)
    ProcessingJobFactory(priority=100)
    assert page_of(ProcessingJob.objects.all(), ["-priority"], first.next_cursor, 2).rows == [jobs[1], jobs[0]]


def test_an_empty_list_has_one_empty_page():
    page = page_of(ProcessingJob.objects.all(), ["-id"], "", 5)
    assert (page.rows, page.next_cursor, page.previous_cursor) == ([], None, None)


@pytest.mark.parametrize("cursor", ["x", "....", "WyJuIiwiLWlkIixbXV0", "é", "WzEsMiwzXQ", "A" * 5000, "bnVsbA"])
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(CursorRefused, match="does not belong to this list"):
        page_of(ProcessingJob.objects.all(), ["-id"], cursor, 5)


@pytest.mark.parametrize(
    ("ordering", "value"),
    [
        ("-created_at", "0001-01-01T00:00:00+20:09"),
        ("-created_at", "2024-01-01T00:00:00"),
        ("job_type", "a\0"),
        ("job_type", "\ud800"),
    ],
)
def test_a_cursor_with_values_that_no_row_can_have_is_refused(ordering, value):
    text = json.dumps(["n", f"{ordering},id", [value, str(uuid7())]])
    cursor = base64.urlsafe_b64encode(text.encode()).decode()
    with pytest.raises(CursorRefused, match="does not belong to this list"):
        page_of(ProcessingJob.objects.all(), [ordering], cursor, 5)


def test_a_cursor_of_another_order_is_refused():
    ProcessingJobFactory.create_batch(3)
    cursor = page_of(ProcessingJob.objects.all(), ["-priority"], "", 1).next_cursor
    with pytest.raises(CursorRefused, match="does not belong to this list"):
        page_of(ProcessingJob.objects.all(), ["priority"], cursor, 1)
