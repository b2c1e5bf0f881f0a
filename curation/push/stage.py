"""Tell one subscriber what is new for them, and what is due again: several at once, over connections that stay open."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from queue import SimpleQueue
from threading import Event
from types import TracebackType
from typing import Self
from uuid import UUID

from catalog.failures import StageFailure
from catalog.files.posting import Post
from catalog.work import jobs
from curation.models import DeliveryStatus, Destination, Subscription
from curation.packets.keeping import PacketLost, content_of, packet_of
from curation.push.arrived import bring_up, bring_up_without
from curation.push.kafka import Stream
from curation.push.keeping import reason_against, stop
from curation.push.messages import Message, about
from curation.push.reading import last_published, read_on
from curation.push.sending import Outcome, receiver_of, send, way_to
from curation.push.trying import Try, put_down, take, withhold

logger = logging.getLogger(__name__)

# To one webhook at once. Slack and mail servers take one after the other.
AT_ONCE = 8
_OF_EACH = 4
_MOST_CHANGED = 200
# After so long others have their turn.
_TURN_SECONDS = 20.0


def run(subscription_id: str) -> None:
    """Send one subscriber what is for them until nothing is due, the receiver fails, or the turn is over."""
    row = Subscription.objects.sending().select_related("owner").filter(pk=subscription_id).first()
    if row is None:
        return
    if why := reason_against(row.owner) or receiver_of(row).fault:
        with jobs.writing(last=True):
            stop(row, why)
        return
    with _Turn(subscription_id, row.destination) as turn:
        while turn.lasts:
            jobs.check()
            news, sent = turn.read_some(), turn.send_some()
            if not (news or sent):
                break


class _Turn:
    """One subscriber's turn: what is new is written down while what waits is sent, over connections that stay open."""

    def __init__(self, subscription_id: str, destination: str) -> None:
        self._key, self._end = subscription_id, time.monotonic() + _TURN_SECONDS
        self._at_once = AT_ONCE if destination == Destination.WEBHOOK else 1
        self._destination = destination
        self._ways: SimpleQueue[Post | Stream] = SimpleQueue()
        self._shut = ExitStack()
        self._pool = ThreadPoolExecutor(self._at_once)
        # Alerts whose state is to be brought up to date, together: each time costs as much for one as for many.
        self._changed: set[UUID] = set()

    @property
    def lasts(self) -> bool:
        return time.monotonic() < self._end

    def __enter__(self) -> Self:
        for _ in range(self._at_once):
            way = way_to(self._destination)
            self._shut.enter_context(way)
            self._ways.put(way)
        self._shut.enter_context(self._pool)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._shut.close()
        if kind is None or issubclass(kind, jobs.HandBack):
            bring_up(self._changed)

    def read_some(self) -> bool:
        """Write down what is for this subscriber of the next publications; return whether there were any."""
        if not Subscription.objects.filter(pk=self._key, place__lt=last_published()).exists():
            return False
        decided = read_on(self._key)
        self._note(decided)
        return bool(decided)

    def send_some(self) -> bool:
        """Send some of what is due and put down what came of it; return whether to go on at once."""
        row = Subscription.objects.sending().rested().select_related("owner").filter(pk=self._key).first()
        if row is None:
            return False
        withhold(row)
        # A receiver that failed is asked with one message first.
        tries = take(row, 1 if row.failures else self._at_once * _OF_EACH)
        if not tries:
            return False
        batch = _Batch(row, self._ways)
        outcomes = batch.send(tries, self._pool)
        put_down(row, outcomes)
        self._note([one.delivery.publication.alert_id for one in tries])
        if any(outcome is not None and outcome.is_gone for _, outcome in outcomes):
            bring_up_without(row)
        if batch.interruption is not None:
            raise batch.interruption
        return True

    def _note(self, alerts: Iterable[UUID]) -> None:
        self._changed.update(alerts)
        if len(self._changed) >= _MOST_CHANGED:
            bring_up(self._changed)
            self._changed.clear()


class _Batch:
    """Messages that are sent side by side; where the first to come back have failed, the rest is not begun."""

    def __init__(self, row: Subscription, ways: SimpleQueue[Post | Stream]) -> None:
        self._receiver, self._ways = receiver_of(row), ways
        self._has_failed, self._has_arrived = Event(), Event()
        self.interruption: BaseException | None = None

    def send(self, tries: Sequence[Try], pool: ThreadPoolExecutor) -> list[tuple[Try, Outcome | None]]:
        """Return what each came to; None for what was not sent."""
        messages = [self._message(one) for one in tries]
        futures: list[Future[Outcome | None]] = [pool.submit(copy_context().run, self._send, one) for one in messages]
        return [(one, self._result(future)) for one, future in zip(tries, futures, strict=True)]

    def _message(self, one: Try) -> Message | Outcome:
        """Return what is sent, made before the threads begin: they need no database."""
        publication, key = one.delivery.publication, str(one.delivery.pk)
        if self._receiver.destination != Destination.KAFKA:
            return about(publication, key)
        try:
            return about(publication, key, content_of(packet_of(publication)))
        except PacketLost as failure:
            return Outcome(DeliveryStatus.FAILED, reason=str(failure))

    def _send(self, message: Message | Outcome) -> Outcome | None:
        if self._has_failed.is_set() and not self._has_arrived.is_set():
            return None
        jobs.check()
        if isinstance(message, Outcome):
            return message
        way = self._ways.get()
        try:
            outcome = send(self._receiver, message, way)
        finally:
            self._ways.put(way)
        (self._has_arrived if outcome.has_arrived else self._has_failed).set()
        return outcome

    def _result(self, future: Future[Outcome | None]) -> Outcome | None:
        """Return what a try came to; what stops the job is kept until all is put down."""
        error = future.exception()
        if error is None:
            return future.result()
        if not isinstance(error, jobs.JobLost | SystemExit | StageFailure):
            raise error
        self.interruption = error
        return None
