"""Long answers: read bit by bit as they are sent, and gone on with where they broke off."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from django.test import RequestFactory

from catalog.web.streamed import Streamed, range_of


def test_an_asynchronous_server_is_given_a_bit_before_the_next_one_is_read():
    read = []

    def parts() -> Iterator[bytes]:
        for number in range(3):
            read.append(number)
            yield bytes([number])

    async def first_two() -> None:
        bits = aiter(Streamed(parts()))
        assert (await anext(bits), read) == (b"\0", [0])
        assert (await anext(bits), read) == (b"\1", [0, 1])

    asyncio.run(first_two())


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("bytes=0-9", (0, 10)), ("bytes=90-", (90, 100)), ("bytes=90-500", (90, 100)), ("bytes=-10", (90, 100)),
        ("bytes=-500", (0, 100)), ("bytes=100-", (100, 100)), ("bytes=9-3", None), ("bytes=-", None),
        ("bytes=0-1,4-5", None), ("lines=0-9", None), ("bytes=a-b", None), ("", None),
    ],
)  # fmt: skip
def test_a_range_is_read_and_what_is_none_gives_the_whole(asked: str, given: tuple[int, int] | None):
    assert range_of(RequestFactory().get("/", headers={"Range": asked}), 100, "tag") == given


def test_a_range_of_another_version_gives_the_whole():
    for tag, given in (('"tag"', (5, 100)), ('"other"', None)):
        request = RequestFactory().get("/", headers={"Range": "bytes=5-", "If-Range": tag})
        assert range_of(request, 100, "tag") == given
