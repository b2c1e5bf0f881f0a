"""Tell one subscriber what is new for them, and what is due again: several at once, over connections that stay open."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from queue import SimpleQueue
from threading import Event

from catalog.failures import StageFailure
from catalog.files.posting import Post
from catalog.work import jobs
from curation.models import Destination, Subscription
from curation.push.arrived import bring_up, bring_up_without
from curation.push.keeping import reason_against, stop
from curation.push.messages import about
from curation.push.reading import read_on
from curation.push.sending import Outcome, receiver_of, send
from curation.push.trying import Try, put_down, take

logger = logging.getLogger(__name__)

# To one webhook at once. Slack and mail servers take one after the other.
AT_ONCE = 8
_OF_EACH = 4
# After so long others have their turn.
_TURN_SECONDS = 20.0


def run(subscription_id: str) -> None:
    """Send one subscriber what is for them until nothing is due, the receiver fails, or the turn is over."""
    row = Subscription.objects.sending().select_related("owner").filter(pk=subscription_id).first()
    if row is None:
        return
    if why := reason_against(row.owner):
        with jobs.writing(last=True):
            stop(row, why)
        return
    start = time.monotonic()
    while decided := read_on(subscription_id):
        jobs.check()
        bring_up(decided)
    at_once = AT_ONCE if row.destination == Destination.WEBHOOK else 1
    with ExitStack() as shut:
        posts: SimpleQueue[Post] = SimpleQueue()
        for _ in range(at_once):
            posts.put(shut.enter_context(Post()))
        pool = shut.enter_context(ThreadPoolExecutor(at_once))
        while time.monotonic() - start < _TURN_SECONDS and _send_some(subscription_id, at_once, pool, posts):
            jobs.check()


def _send_some(subscription_id: str, at_once: int, pool: ThreadPoolExecutor, posts: SimpleQueue[Post]) -> bool:
    """Send some of what is due and put down what came of it; return whether to go on at once."""
    row = Subscription.objects.sending().rested().filter(pk=subscription_id).first()
    if row is None:
        return False
    # A receiver that failed is asked with one message first.
    tries = take(row, 1 if row.failures else at_once * _OF_EACH)
    if not tries:
        return False
    batch = _Batch(row, posts)
    outcomes = batch.send(tries, pool)
    put_down(row, outcomes)
    bring_up([one.delivery.publication.alert_id for one in tries])
    if any(outcome is not None and outcome.is_gone for _, outcome in outcomes):
        bring_up_without(row)
    if batch.interruption is not None:
        raise batch.interruption
    return True


class _Batch:
    """Messages that are sent side by side; where the first to come back have failed, the rest is not begun."""

    def __init__(self, row: Subscription, posts: SimpleQueue[Post]) -> None:
        self._receiver, self._posts = receiver_of(row), posts
        self._has_failed, self._has_arrived = Event(), Event()
        self.interruption: BaseException | None = None

    def send(self, tries: Sequence[Try], pool: ThreadPoolExecutor) -> list[tuple[Try, Outcome | None]]:
        """Return what each came to; None for what was not sent."""
        futures: list[Future[Outcome | None]] = [pool.submit(copy_context().run, self._send, one) for one in tries]
        return [(one, self._result(future)) for one, future in zip(tries, futures, strict=True)]

    def _send(self, one: Try) -> Outcome | None:
        if self._has_failed.is_set() and not self._has_arrived.is_set():
            return None
        jobs.check()
        message = about(one.delivery.publication, str(one.delivery.pk))
        post = self._posts.get()
        try:
            outcome = send(self._receiver, message, post)
        finally:
            self._posts.put(post)
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
