"""The broker of files, for a site without RabbitMQ: kombu's, taught what a folder shared by processes needs.

Messages and tables are written beside their place and renamed, so that nobody reads half of one; what cannot be read
all the same, after a power cut or a hand in the folder, stops nobody. A folder may go away and come back.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty

from kombu.transport import filesystem
from kombu.transport.filesystem import LOCK_EX, exchange_queue_t, lock
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)

# Whoever writes a message in its place is done with it long before.
_HALF_WRITTEN_SECONDS = 60.0


class Channel(filesystem.Channel):
    """kombu's channel, with writes that are whole or not there and a reader that leaves what it cannot read."""

    def get_table(self, exchange: str) -> list[object]:
        """Return the queues that are bound to an exchange; a torn table has none, until they bind themselves again."""
        file: Path = self._exchange_file(exchange)
        try:
            return [exchange_queue_t(*row) for row in loads(file.read_bytes())]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError):
            logger.warning("%s cannot be read and is made anew", file)
            return []

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        row = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._changed(exchange) as table:
            if row not in table:
                table.insert(0, row)

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *_: object, **__: object) -> None:
        self._purge(queue)
        row = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._changed(exchange) as table:
            if row in table:
                table.remove(row)

    @contextmanager
    def _changed(self, exchange: str) -> Iterator[list[object]]:
        """Give the table of an exchange to change, while nobody else does."""
        file: Path = self._exchange_file(exchange)
        # A file of its own: the table's is another one after each change.
        with file.with_name(f"{file.name}.lock").open("ab") as guard:
            lock(guard, LOCK_EX)
            table = self.get_table(exchange)
            before = list(table)
            yield table
            if table != before:
                _write_whole(file, table)

    def _put(self, queue: str, payload: object, **_: object) -> None:  # type: ignore[override]  # as kombu's own does
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        _write_whole(Path(self.data_folder_out) / name, payload)

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, object]:
        """Take the oldest message that is whole; Empty where there is none."""
        for name in sorted(os.listdir(self.data_folder_in)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            path = Path(self.data_folder_in) / name
            payload = self._read(path)
            # Of several readers it is for the one that removes it.
            if payload is not None and _is_removed(path):
                return payload
        raise Empty

    def _read(self, path: Path) -> dict[str, object] | None:
        """Return a message; None where it cannot be read, after a minute of which it is laid aside."""
        try:
            payload = loads(path.read_bytes())
            # What makes a message of it later must not be the first to find that it is none.
            self.Message(payload, channel=self)
        except OSError:
            # Taken by another reader, or not ours to read.
            return None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _HALF_WRITTEN_SECONDS:
                    logger.warning("%s cannot be read (%s) and is laid aside", path, error)
                    path.replace(f"{path}.unreadable")
            return None
        return payload


class Transport(filesystem.Transport):
    """kombu's transport; without its folder a worker waits and tries again, as with any broker that is away."""

    Channel = Channel
    connection_errors = (*filesystem.Transport.connection_errors, OSError)  # type: ignore[assignment]

    def establish_connection(self) -> Transport:
        """Make the folders where there are none; raise OSError where they cannot be made."""
        options: dict[str, str] = self.client.transport_options  # type: ignore[union-attr]
        for name in ("data_folder_in", "control_folder"):
            Path(options[name]).mkdir(parents=True, exist_ok=True)
        return super().establish_connection()


def _write_whole(path: Path, content: object) -> None:
    """Write JSON under a name that no reader looks for, and give it its own; not synced, for it is but a wake-up."""
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        beside.write_text(dumps(content))
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _is_removed(path: Path) -> bool:
    """Remove a file; tell whether it was this reader that did."""
    try:
        path.unlink()
    except OSError:
        return False
    return True
