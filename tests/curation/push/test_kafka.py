"""Alerts on a topic of Kafka: librdkafka's own cluster takes them, and a consumer and fastavro read them back."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import fastavro
import pytest
from confluent_kafka import Consumer, Producer

from catalog.people import audit
from curation.alerts.criteria import Criteria
from curation.models import Delivery, Destination
from curation.push import kafka
from curation.push.keeping import Refused, Wish, subscribe
from curation.push.sending import try_out
from tests.curation.push.pushing import make_due, states, tell, work

pytestmark = pytest.mark.django_db
TOPIC = "astrid.alerts"


@pytest.fixture
def brokers(settings: Any) -> Iterator[Producer]:
    """Run a cluster of three brokers in this process for as long as its first client lives."""
    first = Producer({"test.mock.num.brokers": 3, "log_level": 0})
    found = first.list_topics(timeout=10).brokers.values()
    settings.ASTRID_KAFKA_URL = "kafka://" + ",".join(f"{one.host}:{one.port}" for one in found)
    yield first
    del first


@pytest.fixture
def row(brokers: Producer, owner: Any, empty_data_root: Any) -> Any:
    return subscribe(owner, Wish("Topic", Criteria(), Destination.KAFKA, TOPIC), audit.Actor(owner))[0]


def read(settings: Any, count: int) -> list[Any]:
    options = kafka.options_of(settings.ASTRID_KAFKA_URL)
    consumer = Consumer({**options, "group.id": "tests", "auto.offset.reset": "earliest"})
    consumer.subscribe([TOPIC])
    try:
        return consumer.consume(count, timeout=20)
    finally:
        consumer.close()


def test_each_alert_is_a_packet_under_the_number_of_its_alert(row: Any, settings: Any):
    alerts = tell(3)
    work()
    assert states(row) == [("delivered", 1, None)] * 3
    came = {message.key().decode(): message for message in read(settings, 3)}
    assert came.keys() == {str(alert.number) for alert in alerts}
    for alert in alerts:
        message = came[str(alert.number)]
        packet: Any = next(iter(fastavro.reader(io.BytesIO(message.value()))))
        assert packet["alertId"] == alert.number
        headers = {name: value.decode() for name, value in message.headers()}
        key = Delivery.objects.get(publication__alert=alert).pk
        assert headers == {"webhook-id": str(key), "type": "alert.new", "content-type": "application/avro"}


def test_what_no_broker_takes_waits_and_is_written_when_one_is_there(row: Any, settings: Any, monkeypatch: Any):
    there, settings.ASTRID_KAFKA_URL = settings.ASTRID_KAFKA_URL, "kafka://127.0.0.1:9"
    monkeypatch.setattr(kafka, "KAFKA_SECONDS", 1.0)
    tell(2)
    work()
    assert {state for state, _, _ in states(row)} == {"failed", "waiting"}
    assert "Kafka did not take it" in Delivery.objects.filter(status="failed")[0].last_reason
    settings.ASTRID_KAFKA_URL = there
    monkeypatch.setattr(kafka, "KAFKA_SECONDS", 15.0)
    for _ in range(2):
        make_due(row)
        work()
    assert {state for state, _, _ in states(row)} == {"delivered"}
    assert len(read(settings, 2)) == 2


def test_a_test_is_json_and_says_where_it_lies(row: Any, settings: Any):
    outcome = try_out(row)
    assert outcome.has_arrived and outcome.text.startswith(f"{TOPIC}, partition ")
    (message,) = read(settings, 1)
    assert b'"type":"test"' in message.value()


@pytest.mark.parametrize("topic", ["others", "astrid/x", "https://example.org", ""])
def test_only_topics_of_its_own_are_written_to(brokers: Producer, owner: Any, topic: str):
    with pytest.raises(Refused, match="begins with astrid"):
        subscribe(owner, Wish("Topic", Criteria(), Destination.KAFKA, topic), audit.Actor(owner))


@pytest.mark.parametrize("url", ["", "broker:9092", "http://broker:9092", "kafka://"])
def test_a_site_without_brokers_says_so(owner: Any, settings: Any, url: str):
    settings.ASTRID_KAFKA_URL = url
    with pytest.raises(Refused, match="ASTRID_KAFKA_URL"):
        subscribe(owner, Wish("Topic", Criteria(), Destination.KAFKA, TOPIC), audit.Actor(owner))


def test_what_its_library_is_to_know_stands_behind_the_question_mark():
    told = kafka.options_of("kafka://a:9092,b:9092?security.protocol=SASL_SSL&sasl.username=me")
    assert told == {"bootstrap.servers": "a:9092,b:9092", "security.protocol": "SASL_SSL", "sasl.username": "me"}
