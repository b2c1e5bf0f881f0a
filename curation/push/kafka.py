"""Alerts on a topic of Kafka, for the site that has brokers: each a packet, as their consumers read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

# From a message's handing over to the brokers' word for it.
KAFKA_SECONDS = 15.0
# What begins otherwise may be somebody else's.
_TOPIC = re.compile(r"astrid[A-Za-z0-9._-]{0,190}")
NO_KAFKA = (
    "This site writes to no Kafka: whoever runs it has to set ASTRID_KAFKA_URL and to install requirements-kafka.txt. "
    "Choose another destination."
)
WRONG_TOPIC = "Give the name of a topic that begins with astrid, of letters, digits, dots, underscores and hyphens."


class NotWritten(Exception):
    """The brokers have not said that they have a message; the text says why."""


def options_of(url: str) -> dict[str, str]:
    """Return what librdkafka is told by `kafka://host:9092,other:9092?security.protocol=SASL_SSL&…`; {} for nothing
    that is one."""
    parts = urlsplit(url)
    if parts.scheme != "kafka" or not parts.netloc:
        return {}
    return {"bootstrap.servers": parts.netloc, **dict(parse_qsl(parts.query))}


def has_kafka() -> bool:
    """Tell whether the site was told of brokers, and has what writes to them."""
    try:
        import confluent_kafka  # noqa: F401
    except ImportError:
        return False
    return bool(options_of(settings.ASTRID_KAFKA_URL))


def is_topic(name: str) -> bool:
    """Tell whether alerts may be written to a topic of this name."""
    return _TOPIC.fullmatch(name) is not None


class Stream:
    """A way to the brokers, whose connections are kept between messages; for one thread, until the block ends."""

    def __init__(self) -> None:
        self._producer: Producer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(0)

    def write(self, topic: str, key: str, value: bytes, headers: Mapping[str, str]) -> str:
        """Write a message and return where it lies, once all replicas have it.

        Raises NotWritten where nobody has said so in time: it may be there all the same, and is told by its headers.
        """
        from confluent_kafka import KafkaException

        told: list[tuple[KafkaError | None, Message]] = []
        try:
            producer = self._opened()
            producer.produce(
                topic,
                value,
                key,
                headers=list(headers.items()),
                on_delivery=lambda error, message: told.append((error, message)),
            )
            producer.flush(KAFKA_SECONDS + 1.0)
        except (KafkaException, BufferError) as failure:
            raise NotWritten(f"Kafka did not take it: {_words(failure)}.") from failure
        if not told:
            raise NotWritten(f"No broker has answered within {KAFKA_SECONDS:.0f} s.")
        error, message = told[0]
        if error is not None:
            raise NotWritten(f"Kafka did not take it: {_words(error)}.")
        return f"{message.topic()}, partition {message.partition()}, offset {message.offset()}"

    def _opened(self) -> Producer:
        """Return what writes; one that lost its brokers finds them again by itself."""
        if self._producer is None:
            from confluent_kafka import Producer

            options = {
                "enable.idempotence": "true",
                "message.timeout.ms": str(int(1000 * KAFKA_SECONDS)),
                "log_level": "2",
                **options_of(settings.ASTRID_KAFKA_URL),
            }
            self._producer = Producer(options)
        return self._producer


def _words(error: object) -> str:
    told = error.args[0] if isinstance(error, Exception) and error.args else error
    return str(told.str() if hasattr(told, "str") else told).rstrip(".")
