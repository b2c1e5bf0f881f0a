"""The Celery doors of job rows, seals and letters. Messages are wake-ups: the rows say what is to be done."""

from __future__ import annotations

import logging
import time

from celery import Task, shared_task
from celery.exceptions import WorkerLostError
from celery.signals import task_failure, worker_shutting_down
from kombu.exceptions import OperationalError as BrokerUnavailable

from catalog.chain import sealing
from catalog.people import letters
from catalog.retention import sweeping
from catalog.work import jobs, shutdown, stages, sweeper

logger = logging.getLogger(__name__)

# After so long a worker puts itself at the end of the queue again, so that a probe and the publisher have their turn.
_TURN_SECONDS = 2.0


def wake(queue: str) -> None:
    """Send one wake-up to a queue; a broker that is away costs nothing but time."""
    try:
        work.apply_async((queue,), queue=queue, retry=False)
    except (BrokerUnavailable, OSError) as error:
        logger.warning("No worker of %s could be woken (%s): it is tried again.", queue, error)


@shared_task(name="catalog.work", bind=True)
def work(self: Task[object, object], queue: str) -> None:
    """Do the jobs of a queue, the most urgent first, until none is left or the turn is over."""
    start = time.monotonic()
    while not shutdown.has_begun():
        job = jobs.claim_next(stages.types_of(queue), jobs.this_owner(), task_id=self.request.id or "")
        if job is None:
            return
        try:
            jobs.do(job)
        except jobs.JobCrashed:
            logger.exception("%s crashed", job)
        except jobs.JobLost as loss:
            logger.warning("%s", loss)
        except jobs.HandBack:
            logger.warning("%s goes back to waiting: this worker ends", job)
        relay()
        if time.monotonic() - start > _TURN_SECONDS:
            wake(queue)
            return


@shared_task(name="catalog.relay")
def relay() -> int:
    """Wake workers for what may be done."""
    return sweeper.relay(wake)


@shared_task(name="catalog.sweep")
def sweep() -> int:
    """Take back what was lost."""
    return sweeper.sweep()


@shared_task(name="catalog.probe")
def probe(queue: str) -> None:
    """Say that the workers of a queue answer."""
    sweeper.answer(queue)


@shared_task(name="catalog.seal")
def seal(everything: bool = False) -> int:
    """Chain the lines of the AuditLog that have no seal: the new ones, or now and then whatever became visible late."""
    return sealing.seal(everything=everything)


@shared_task(name="catalog.mail_links")
def mail_links() -> int:
    """Send invitations, and links to those who have forgotten their password."""
    return letters.take_turn()


@shared_task(name="catalog.retain")
def retain() -> int:
    """Remove what is older than it is to be kept."""
    return sweeping.take_turn()


@worker_shutting_down.connect
def _begin_shutdown(**_: object) -> None:
    """Let running jobs end or go back, and no new one begin."""
    shutdown.begin()


@task_failure.connect
def _note_loss(task_id: str = "", exception: BaseException | None = None, **_: object) -> None:
    """A child process died at a job: its main process knows at once, long before the heart is missed."""
    if isinstance(exception, WorkerLostError):
        sweeper.lose(task_id)
        relay()
