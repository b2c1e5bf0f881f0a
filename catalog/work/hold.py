"""What a process has while it holds a job: the log of the attempt, a pulse that keeps it alive, a way to be stopped.

The pulse is a thread with a connection of its own. When it finds that the job was cancelled or taken over, has taken
too long, or that the worker is to end, it interrupts the work in the main thread; elsewhere `check` does.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models.functions import Now

from catalog.failures import FailureCode, StageFailure
from catalog.models import JobAttempt, JobStatus, ProcessingJob
from catalog.work import shutdown

logger = logging.getLogger(__name__)

_INTERRUPT = signal.SIGUSR2
_LOG_CHARACTERS = 64_000
_HOLD: ContextVar[Hold | None] = ContextVar("astrid_hold", default=None)


class JobLost(Exception):
    """The job is no longer this attempt's: somebody else holds it, or it has ended."""


class HandBack(SystemExit):
    """The worker is to end, and the job goes back to waiting."""


class Hold:
    """One attempt at work in this thread."""

    def __init__(self, job: ProcessingJob) -> None:
        self.job = job
        self.stop: BaseException | None = None
        self.is_settled = False
        self.is_interruptible = threading.current_thread() is threading.main_thread()
        self.started = self._last_beat = time.monotonic()
        self._log = _AttemptLog(self)
        self._ended = threading.Event()
        self._pulse = threading.Thread(target=self._beat, name=f"pulse of {job.pk}", daemon=True)

    def lock(self) -> None:
        """Lock the job's row to the end of the transaction, or raise JobLost."""
        mine = ProcessingJob.objects.filter(pk=self.job.pk, attempt=self.job.attempt, status=JobStatus.RUNNING)
        if mine.select_for_update().values_list("pk").first() is None:
            raise JobLost(f"{self.job} is no longer held by attempt {self.job.attempt}")

    def log_text(self) -> str:
        """Return what the attempt has said so far."""
        return self._log.text()

    def begin(self) -> None:
        logging.getLogger().addHandler(self._log)
        self._pulse.start()
        logger.info("%s: attempt %d by %s", self.job, self.job.attempt, self.job.owner)

    def end(self) -> None:
        self._ended.set()
        logging.getLogger().removeHandler(self._log)
        self._pulse.join()

    def _beat(self) -> None:
        """Keep the job alive until it ends; the first beat comes after one interval, since the claim was one."""
        try:
            while not self._ended.wait(min(1.0, settings.JOB_HEARTBEAT_SECONDS)):
                self._look_for_orders()
                if time.monotonic() - self._last_beat >= settings.JOB_HEARTBEAT_SECONDS:
                    self._beat_once()
        finally:
            connection.close()

    def _look_for_orders(self) -> None:
        runtime = time.monotonic() - self.started
        if shutdown.seconds_since() > settings.JOB_GRACE_SECONDS:
            self._interrupt(HandBack(0))
        elif runtime > settings.JOB_TIME_LIMIT_SECONDS:
            sentence = f"It took longer than {settings.JOB_TIME_LIMIT_SECONDS:.0f} s and was stopped."
            self._interrupt(StageFailure(FailureCode.TIMED_OUT, sentence))
            if runtime > settings.JOB_TIME_LIMIT_SECONDS + settings.JOB_GRACE_SECONDS and self.is_interruptible:
                # Stuck where no exception can reach: only the end of the process stops it.
                os.kill(os.getpid(), signal.SIGKILL)

    def _beat_once(self) -> None:
        mine = ProcessingJob.objects.filter(pk=self.job.pk)
        try:
            if mine.filter(status=JobStatus.RUNNING, attempt=self.job.attempt).update(heartbeat_at=Now()):
                JobAttempt.objects.filter(job=self.job, attempt=self.job.attempt).update(log=self.log_text())
            elif mine.exists():
                self._interrupt(JobLost(f"{self.job} was cancelled or taken over"))
        except (OperationalError, InterfaceError):
            # The database is away: the work will meet that itself, and the next beat tries a new connection.
            logger.warning("%s: no heartbeat, the database does not answer", self.job)
            connection.close()
        self._last_beat = time.monotonic()

    def _interrupt(self, reason: BaseException) -> None:
        if self.stop is None:
            self.stop = reason
            if self.is_interruptible:
                signal.raise_signal(_INTERRUPT)


class _AttemptLog(logging.Handler):
    """Collects what is logged in the context of one attempt."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(logging.INFO)
        self._hold = hold
        self._lines: list[str] = []
        self._size = 0
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        if _HOLD.get() is not self._hold or self._size > _LOG_CHARACTERS:
            return
        # One record is one line, so that no text from a header can forge another.
        line = self.format(record).replace("\0", "").replace("\r", " ").replace("\n", "\n    ")
        self._lines.append(line)
        self._size += len(line)

    def text(self) -> str:
        return "\n".join(self._lines)


def current() -> Hold | None:
    """Return what this thread holds."""
    return _HOLD.get()


def check() -> None:
    """Raise what is to stop the work of this thread, if anything is; long loops call it."""
    hold = _HOLD.get()
    if hold is not None and hold.stop is not None:
        raise hold.stop


@contextmanager
def holding(job: ProcessingJob) -> Iterator[Hold]:
    """Hold a claimed job: its pulse beats and its log is kept until the block ends."""
    hold = Hold(job)
    token = _HOLD.set(hold)
    previous = signal.signal(_INTERRUPT, _on_interrupt) if hold.is_interruptible else None
    hold.begin()
    try:
        yield hold
    finally:
        hold.end()
        _HOLD.reset(token)
        if hold.is_interruptible:
            signal.signal(_INTERRUPT, previous or signal.SIG_DFL)


def _on_interrupt(*_: object) -> None:
    hold = _HOLD.get()
    # Done work is not thrown away: what is left is to say so, in writes that name the attempt.
    if hold is not None and not hold.is_settled:
        check()


def wait_for_database(seconds: float) -> bool:
    """Wait until the database answers again; return False when it has not within so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            connection.close()
            connection.ensure_connection()
        except (OperationalError, InterfaceError):
            time.sleep(0.5)
        else:
            return True
    return False
