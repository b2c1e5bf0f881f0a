"""Whole lists as files: all rows once, in order, and what broke off is resumed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from pyarrow import parquet

from catalog.web.rest import exporting
from detection.models import Source
from tests.clients import client_of
from tests.factories import SourceFactory

pytestmark = pytest.mark.django_db
EXPORT = "/api/v1/sources/export/"


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_BLOCK", 3)


@pytest.fixture
def keys(small_blocks: None) -> list[str]:
    rows = SourceFactory.create_batch(10, position_error_arcsec=0.5)
    return sorted(str(row.pk) for row in rows)


def read(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(answer).decode())))


def following(answer: Any) -> str | None:
    link = answer.get("Link", "")
    return link.partition("<")[2].partition(">")[0] or None


def test_all_rows_are_in_the_file_in_order_of_their_keys(keys: list[str]):
    answer = client_of("viewer").get(EXPORT)
    assert answer["Content-Disposition"] == 'attachment; filename="sources.csv"' and "Link" not in answer
    assert [row["id"] for row in read(answer)] == keys


def test_a_file_that_broke_off_is_resumed_after_its_last_whole_row(keys: list[str]):
    client = client_of("viewer")
    parts = iter(client.get(EXPORT))
    begun = next(parts) + next(parts)
    had = [line.partition(",")[0] for line in begun.decode().splitlines()[1:]]
    rest = read(client.get(EXPORT, {"after": had[-1]}))
    assert had == keys[:3] and had + [row["id"] for row in rest] == keys


@pytest.mark.parametrize("size", [1, 4, 10, 11])
def test_files_of_some_rows_lead_to_the_next_until_all_were_given(keys: list[str], size: int):
    client, seen = client_of("viewer"), []
    address: str | None = f"{EXPORT}?format=csv&rows={size}"
    while address:
        answer = client.get(address)
        seen.append([row["id"] for row in read(answer)])
        address = following(answer)
    assert [key for part in seen for key in part] == keys
    assert {len(part) for part in seen[:-1]} <= {size}


def test_what_is_added_meanwhile_is_not_in_the_file(keys: list[str]):
    parts = iter(client_of("viewer").get(EXPORT))
    begun = next(parts)
    SourceFactory()
    lines = (begun + b"".join(parts)).decode().splitlines()
    assert [line.partition(",")[0] for line in lines[1:]] == keys


def test_filters_narrow_the_file_and_nothing_is_a_file_too(keys: list[str]):
    Source.objects.filter(pk=keys[4]).update(name="SN 2026a")
    client = client_of("viewer")
    assert [row["id"] for row in read(client.get(EXPORT, {"name": "SN 2026a"}))] == [keys[4]]
    assert read(client.get(EXPORT, {"name": "none"})) == []
    empty = parquet.read_table(io.BytesIO(b"".join(client.get(EXPORT, {"format": "parquet", "name": "none"}))))
    assert empty.num_rows == 0 and "ra" in empty.column_names


def test_parquet_holds_numbers_times_and_units_as_they_are(keys: list[str]):
    table = parquet.read_table(io.BytesIO(b"".join(client_of("viewer").get(EXPORT, {"format": "parquet"}))))
    row = Source.objects.get(pk=keys[0])
    assert [str(key) for key in table["id"].to_pylist()] == keys
    assert table["ra"][0].as_py() == row.ra and table["created_at"][0].as_py() == row.created_at
    assert table["last_detected_at"].null_count == 10
    assert table.schema.field("ra").metadata[b"unit"] == b"deg"
    assert table.schema.field("dec").metadata[b"ucd"] == b"pos.eq.dec;meta.main"


@pytest.mark.parametrize(
    "query",
    ["format=json", "format=xml", "after=x", "after=", "rows=0", "rows=1000001", "rows=x", "cursor=x", "nmae=x"],
)
def test_what_cannot_be_read_is_refused_before_anything_is_sent(query: str):
    answer = client_of("viewer").get(f"{EXPORT}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


@pytest.fixture
def every_turn_taken() -> Iterator[None]:
    with ExitStack() as turns:
        for _ in range(exporting._AT_ONCE):
            turns.enter_context(exporting._TURNS.one())
        yield


def test_too_many_at_once_are_told_to_come_again(every_turn_taken: None):
    answer = client_of("viewer").get(EXPORT)
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "too_many_exports", "30")


def test_a_reader_who_goes_gives_the_turn_back(keys: list[str]):
    client = client_of("viewer")
    for _ in range(3 * exporting._AT_ONCE):
        answer = client.get(EXPORT)
        assert answer.status_code == 200
        assert next(iter(answer))
        # As the test's client closes it: the connection to the database stays.
        answer._iterator.close()
    assert not exporting._TURNS.are_all_taken
