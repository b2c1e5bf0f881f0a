"""Mail to whoever runs the site, when work fails: seldom, and once more when it is well again."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection
from django.db.models import QuerySet

from astrid_site.backup import known
from astrid_site.running.health import Health, health
from catalog.counting import count_bounded, counted
from catalog.failures import FailureCode
from catalog.files.mail import can_send_mail, hand_over
from catalog.models import AuditLog, JobStatus, ProcessingJob
from catalog.people import audit
from catalog.work.rows import before

logger = logging.getLogger(__name__)

# The lines of the audit log that say what was sent last.
_ENTITY, _ACTION = ("site", "alarms"), "mail_alarm"
_LOCK = 7403
_HOUR_SECONDS, _DAY_SECONDS = 3600.0, 86_400.0
_BACKUP = "backup"
# A frame that is clouded or refused is nobody's fault; these are for who runs the site.
_FAULTS = (
    FailureCode.DISK_FAULT, FailureCode.OUT_OF_MEMORY, FailureCode.TIMED_OUT, FailureCode.WORKER_LOST,
    FailureCode.BAD_CONFIGURATION, FailureCode.INTERNAL_ERROR,
)  # fmt: skip


def mail_alarms() -> bool:
    """Send what is not well, at most once an hour, or that it is well again; return whether a mail was sent.

    That the last backup is old, and nothing else, is sent once a day: nobody mends that within the hour.

    Where the mail server does not take it, the next turn tries again.
    """
    if not settings.ASTRID_MAIL_ALARMS_TO or not can_send_mail():
        return False
    with connection.cursor() as cursor:
        # Of the session, and none of a transaction: none stands open while the mail server is waited for.
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return False
        try:
            return _take_turn()
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _take_turn() -> bool:
    wrong = faults(health())
    is_told = _is_told(wrong) if wrong else not _was_wrong()
    if is_told or not _send(*_words(wrong)):
        return False
    audit.record(_ENTITY, _ACTION, new={"wrong": wrong})
    return True


def faults(found: Health) -> dict[str, str]:
    """Return what is not well by its name, in the words of readyz, and the jobs that failed by a fault lately."""
    states = {"alerts": found.alerts, **{queue.name: queue.state for queue in found.queues}}
    wrong = {name: state for name, state in states.items() if state != "ok"}
    failed = _failed().filter(failure_code__in=_FAULTS)
    if count := count_bounded(failed):
        wrong["jobs"] = f"{counted(count)} failed for good in the last hour by a fault of the program or the machine"
    if old := known.warning(known.newest()):
        wrong[_BACKUP] = old
    return wrong


def _is_told(wrong: Mapping[str, str]) -> bool:
    if _lines().filter(created_at__gt=before(_HOUR_SECONDS)).exists():
        return True
    today = _lines().filter(created_at__gt=before(_DAY_SECONDS), new_values__wrong__has_key=_BACKUP)
    return set(wrong) == {_BACKUP} and today.exists()


def _failed() -> QuerySet[ProcessingJob]:
    rows: QuerySet[ProcessingJob] = ProcessingJob.objects.filter(
        status=JobStatus.FAILED, started_at__gte=before(_HOUR_SECONDS + settings.JOB_TIME_LIMIT_SECONDS)
    )
    return rows.filter(completed_at__gte=before(_HOUR_SECONDS))


def _lines() -> QuerySet[AuditLog]:
    """Return the mails that told of something wrong."""
    return AuditLog.objects.filter(action=_ACTION).exclude(new_values__wrong={})


def _was_wrong() -> bool:
    last = AuditLog.objects.filter(action=_ACTION).order_by("-created_at", "-id").first()
    return last is not None and bool(last.new_values.get("wrong"))


def _words(wrong: Mapping[str, str]) -> tuple[str, str]:
    """Return subject and text."""
    where = settings.ASTRID_ADDRESS or "this site"
    if not wrong:
        return "It is well again", f"Everything that {where} watches is well again."
    lines = [f"- {name}: {state}" for name, state in wrong.items()]
    every = counted(count_bounded(_failed()))
    text = f"Not well at {where}:\n\n" + "\n".join(lines)
    return (
        f"Not well: {', '.join(wrong)}",
        f"{text}\n\nJobs that failed for good in the last hour, whatever the reason: {every}.\n"
        "While this lasts you are told at most once an hour (of an old backup alone: once a day), and once when it "
        "is over.",
    )


def _send(subject: str, text: str) -> bool:
    """Hand a mail to the mail server; tell whether it took it."""
    mail = EmailMessage(
        f"[AstrID] {subject}", f"{text}\n", settings.ASTRID_MAIL_FROM, settings.ASTRID_MAIL_ALARMS_TO,
        headers={"Auto-Submitted": "auto-generated"},
    )  # fmt: skip
    if reason := hand_over(mail):
        logger.warning("What is not well was not mailed: %s", reason)
    return not reason
