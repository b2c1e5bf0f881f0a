"""What a process has while it holds a job: the log of the attempt, a pulse that keeps it alive, a way to be stopped.

The pulse is a thread with a connection of its own. When it finds that the job was cancelled or taken over, has taken
too long, or that the worker is to end, it interrupts the work in the main thread; elsewhere `check` does. Only the work
is interrupted, never the record of how it ended, and never amid a command to the database.
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
from types import FrameType

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models.functions import Now
from psycopg.errors import QueryCanceled

from catalog.failures import FailureCode, StageFailure
from catalog.models import JobAttempt, JobStatus, ProcessingJob
from catalog.work import shutdown

logger = logging.getLogger(__name__)

_INTERRUPT = signal.SIGUSR2
_LOG_CHARACTERS = 64_000
# What an exception must not come amid: a connection that is torn from a command is of no more use.
_DATABASE_PACKAGES = ("django.db.", "psycopg")
# A command that takes longer, such as one that waits for a lock, is stopped in the server.
_COMMAND_SECONDS = 2.0
# Python swallows an exception that comes amid a finalizer: so it comes again.
_AGAIN_SECONDS = 5.0
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
        self.is_in_main_thread = threading.current_thread() is threading.main_thread()
        self.started = self._last_beat = time.monotonic()
        self._stopped = self._raised = 0.0
        # Guards that the work is at an end, and so that no command of what comes after it is stopped for it.
        self._guard = threading.Lock()
        self._is_at_work = False
        self._backend_pid: int | None = None
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

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let what happens in the block be stopped, until `settle`."""
        self._is_at_work = True
        try:
            yield
        except OperationalError as error:
            if self.stop is not None and isinstance(error.__cause__, QueryCanceled):
                raise self.stop from error
            raise
        finally:
            self.settle()

    def settle(self) -> None:
        """Say that the work is done: what is left is to write that down, and nothing stops that any more."""
        with self._guard:
            self._is_at_work = False

    def check(self) -> None:
        """Raise what is to stop the work, if anything is and there is work to stop."""
        if self._is_at_work and self.stop is not None:
            self._raised = time.monotonic()
            raise self.stop

    def interrupt(self, frame: FrameType | None) -> None:
        """Raise what is to stop the work, unless it is amid a command to the database: then a later beat does."""
        if _is_in_database(frame):
            self._backend_pid = _backend_pid()
        else:
            self._backend_pid = None
            self.check()

    def _beat(self) -> None:
        """Keep the job alive until it ends; the first beat comes after one interval, since the claim was one."""
        try:
            while not self._ended.wait(min(1.0, settings.JOB_HEARTBEAT_SECONDS)):
                self._look_for_orders()
                if time.monotonic() - self._last_beat >= settings.JOB_HEARTBEAT_SECONDS:
                    self._beat_once()
                self._press()
        finally:
            connection.close()

    def _look_for_orders(self) -> None:
        runtime = time.monotonic() - self.started
        if shutdown.seconds_since() > settings.JOB_GRACE_SECONDS:
            self._stop(HandBack(0))
        elif runtime > settings.JOB_TIME_LIMIT_SECONDS:
            sentence = f"It took longer than {settings.JOB_TIME_LIMIT_SECONDS:.0f} s and was stopped."
            self._stop(StageFailure(FailureCode.TIMED_OUT, sentence))
            if runtime > settings.JOB_TIME_LIMIT_SECONDS + settings.JOB_GRACE_SECONDS and self.is_in_main_thread:
                # Stuck where no exception can reach: only the end of the process stops it.
                os.kill(os.getpid(), signal.SIGKILL)

    def _beat_once(self) -> None:
        row = ProcessingJob.objects.filter(pk=self.job.pk)
        try:
            if row.filter(status=JobStatus.RUNNING, attempt=self.job.attempt).update(heartbeat_at=Now()):
                JobAttempt.objects.filter(job=self.job, attempt=self.job.attempt).update(log=self.log_text())
            # Only who holds an attempt completes it: a job that this one has completed is not lost.
            elif row.exclude(status=JobStatus.COMPLETED, attempt=self.job.attempt).exists():
                self._stop(JobLost(f"{self.job} was cancelled or taken over"))
        except (OperationalError, InterfaceError):
            # The database is away: the work will meet that itself, and the next beat tries a new connection.
            logger.warning("%s: no heartbeat, the database does not answer", self.job)
            connection.close()
        self._last_beat = time.monotonic()

    def _stop(self, reason: BaseException) -> None:
        if self.stop is None and self._is_at_work:
            self.stop, self._stopped = reason, time.monotonic()

    def _press(self) -> None:
        """Interrupt work in the main thread that is to stop, also where it waits for the database."""
        now = time.monotonic()
        if self.stop is None or not self.is_in_main_thread or (self._raised and now - self._raised < _AGAIN_SECONDS):
            return
        main = threading.main_thread().ident
        if main is not None and self._is_at_work:
            signal.pthread_kill(main, _INTERRUPT)
        if now - self._stopped > _COMMAND_SECONDS:
            self._stop_command()

    def _stop_command(self) -> None:
        """Stop the command that the work waits for, in the server."""
        try:
            with self._guard:
                if self._is_at_work and self._backend_pid is not None:
                    with connection.cursor() as cursor:
                        cursor.execute("SELECT pg_cancel_backend(%s)", [self._backend_pid])
        except (OperationalError, InterfaceError):
            connection.close()


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
    if hold is not None:
        hold.check()


@contextmanager
def holding(job: ProcessingJob) -> Iterator[Hold]:
    """Hold a claimed job: its pulse beats and its log is kept until the block ends."""
    hold = Hold(job)
    token = _HOLD.set(hold)
    previous = signal.signal(_INTERRUPT, _on_interrupt) if hold.is_in_main_thread else None
    hold.begin()
    try:
        yield hold
    finally:
        hold.end()
        _HOLD.reset(token)
        if hold.is_in_main_thread:
            signal.signal(_INTERRUPT, previous or signal.SIG_DFL)


def _on_interrupt(_: int, frame: FrameType | None) -> None:
    hold = _HOLD.get()
    if hold is not None:
        hold.interrupt(frame)


def _is_in_database(frame: FrameType | None) -> bool:
    """Tell whether a thread is amid a command to the database, or what Django keeps about its transactions."""
    while frame is not None:
        if f"{frame.f_globals.get('__name__')}.".startswith(_DATABASE_PACKAGES):
            return True
        frame = frame.f_back
    return False


def _backend_pid() -> int | None:
    """Return the server's process behind this thread's connection, if it has one."""
    working = connection.connection
    return None if working is None or working.closed else int(working.info.backend_pid)


def wait_for_database(seconds: float) -> bool:
    """Wait until the database answers again; return False when it has not in so many seconds, or the worker ends."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and shutdown.seconds_since() <= settings.JOB_GRACE_SECONDS:
        try:
            connection.close()
            connection.ensure_connection()
        except (OperationalError, InterfaceError):
            time.sleep(0.5)
        else:
            return True
    return False
