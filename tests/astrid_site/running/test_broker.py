"""Messages and tables in files, written and read at once by several processes: none is read in half, none is lost."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection, Exchange, Queue
from kombu.transport.filesystem import exchange_queue_t
from kombu.utils.json import dumps

from astrid_site.running.broker import Channel, Transport


@pytest.fixture
def open_channel(tmp_path):
    """Return a maker of channels over one folder, each as of a process of its own."""
    made: list[Connection] = []

    def make() -> Channel:
        options = {
            "data_folder_in": str(tmp_path / "messages"),
            "data_folder_out": str(tmp_path / "messages"),
            "control_folder": str(tmp_path / "control"),
        }
        made.append(Connection(transport=Transport, transport_options=options))
        return made[-1].channel()

    yield make
    for connection in made:
        connection.release()


def message(number: int = 0, filling: str = "") -> dict[str, Any]:
    return {
        "body": filling, "headers": {"number": number},
        "properties": {"delivery_tag": str(number), "delivery_info": {}, "body_encoding": None},
    }  # fmt: skip


def take_all(channel: Channel, queue: str = "light") -> list[dict[str, object]]:
    taken = []
    while True:
        try:
            taken.append(channel._get(queue))
        except Empty:
            return taken


def test_each_message_comes_once_and_to_its_queue(open_channel, tmp_path):
    writer, reader = open_channel(), open_channel()
    for number in range(3):
        writer._put("light", message(number))
    writer._put("training", message(9))
    assert reader._size("light") == 3
    assert {row["headers"]["number"] for row in take_all(reader)} == {0, 1, 2}
    assert take_all(writer) == []
    assert [row["headers"]["number"] for row in take_all(reader, "training")] == [9]
    assert list((tmp_path / "messages").iterdir()) == []


def test_a_reader_amid_the_writing_of_a_message_finds_none(open_channel, monkeypatch, tmp_path):
    writer, reader = open_channel(), open_channel()
    looks: list[list[Any]] = []
    write = Path.write_text

    def halting(path: Path, text: str) -> int:
        """Write half, let the reader look, write the rest."""
        write(path, text[: len(text) // 2])
        looks.append(take_all(reader))
        return write(path, text)

    monkeypatch.setattr(Path, "write_text", halting)
    writer._put("light", message(1, "x" * 1000))
    assert looks == [[]]
    assert take_all(reader) == [message(1, "x" * 1000)]


def test_a_message_that_somebody_writes_in_its_place_is_left_until_it_is_whole_and_stops_no_other(
    open_channel, tmp_path
):
    reader = open_channel()
    text, place = dumps(message(1)), tmp_path / "messages" / "1_first.light.msg"
    place.write_text(text[: len(text) // 2])
    reader._put("light", message(2))
    assert take_all(reader) == [message(2)]
    place.write_text(text)
    assert take_all(reader) == [message(1)]


@pytest.mark.parametrize("garbage", ["", "{", "[]", "7", "{}", '{"properties": {}}', "\0\0\0", '{"body": "x"'])
def test_what_never_becomes_a_message_is_laid_aside_after_a_minute(open_channel, tmp_path, garbage):
    reader = open_channel()
    place = tmp_path / "messages" / "1_garbage.light.msg"
    place.write_text(garbage)
    assert take_all(reader) == []
    assert place.exists(), "it may be half written"
    long_ago = time.time() - 120.0
    os.utime(place, (long_ago, long_ago))
    reader._put("light", message(2))
    assert take_all(reader) == [message(2)]
    assert [path.name for path in place.parent.iterdir()] == ["1_garbage.light.msg.unreadable"]
    assert place.with_name("1_garbage.light.msg.unreadable").read_text() == garbage


def test_what_may_not_be_read_as_a_file_stops_no_message(open_channel, tmp_path):
    reader = open_channel()
    (tmp_path / "messages" / "1_folder.light.msg").mkdir()
    reader._put("light", message(2))
    assert take_all(reader) == [message(2)]


def test_of_many_writers_and_readers_at_once_each_message_reaches_one(open_channel):
    """What makes the messages long is that kombu's own reader finds halves of them."""

    def write(first: int) -> None:
        channel = open_channel()
        for number in range(first, first + 50):
            channel._put("light", message(number, "x" * 200_000))

    def read(_: int) -> list[int]:
        channel, taken = open_channel(), []
        while not all(writer.done() for writer in writers) or channel._size("light"):
            taken += [row["headers"]["number"] for row in take_all(channel)]
        return taken

    with ThreadPoolExecutor(6) as pool:
        writers = [pool.submit(write, first) for first in (0, 50, 100)]
        readers = [pool.submit(read, number) for number in range(3)]
        taken = [number for reader in readers for number in reader.result()]
        for writer in writers:
            writer.result()
    assert sorted(taken) == list(range(150))


def test_queues_that_are_bound_at_once_are_all_bound_and_no_reader_finds_half_a_table(open_channel):
    def bind(number: int) -> None:
        channel = open_channel()
        for turn in range(20):
            channel._queue_bind("alerts", "", "", f"queue {number} {turn}")
            assert exchange_queue_t("", "", f"queue {number} {turn}") in channel.get_table("alerts")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bind, range(8)))
    channel = open_channel()
    assert len(channel.get_table("alerts")) == 8 * 20
    channel._delete("queue 3 7", "alerts", "", "")
    assert len(channel.get_table("alerts")) == 8 * 20 - 1


@pytest.mark.parametrize("torn", ["", "[[", "[7]", "\0\0"])
def test_a_torn_table_is_made_anew_by_who_binds(open_channel, tmp_path, torn):
    channel = open_channel()
    (tmp_path / "control" / "alerts.exchange").write_text(torn)
    assert channel.get_table("alerts") == []
    channel._queue_bind("alerts", "key", "", "light")
    assert channel.get_table("alerts") == [exchange_queue_t("key", "", "light")]


def test_a_message_goes_through_an_exchange_to_its_queue_and_back_if_it_is_not_done(open_channel):
    writer, reader = open_channel(), open_channel()
    queue = Queue("light", Exchange("light"), routing_key="light")
    queue(reader).declare()
    with writer.connection.client.Producer(writer) as producer:
        producer.publish({"n": 1}, exchange=queue.exchange, routing_key="light", declare=[queue])
    first = queue(reader).get()
    assert first is not None and first.decode() == {"n": 1}
    first.requeue()
    again = queue(open_channel()).get(no_ack=True)
    assert again is not None and again.decode() == {"n": 1}
