"""The states of reports: written before a request leaves and after it was answered, so that none is sent twice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from catalog.people import audit
from catalog.work.rows import after
from curation.models import AWAITED, AttemptKind, Report, ReportAttempt, ReportRow, ReportStatus
from curation.reports.asking import Came, Reply, Sent, Told

# What waits is tried again, or asked about, after a quarter of its age, within these.
_SOONEST_SECONDS, _LATEST_SECONDS = 30.0, 3600.0
# What was taken is asked about for so long.
_PATIENCE_SECONDS = 60.0 * 86400.0
# A request that may have arrived is not begun more often: then a person looks.
MOST_SENDS = 4
_TOO_OFTEN = (
    "It was sent {count} times, each time without a clear answer, and the service has nothing of it. Look at what it "
    "said, then send it again or take it back."
)


def begin_attempt(report: Report, kind: AttemptKind, host: str) -> ReportAttempt:
    """Write down that a request begins."""
    attempt = ReportAttempt(report=report, kind=kind, host=host)
    attempt.save(force_insert=True)
    return attempt


def end_attempt(attempt: ReportAttempt, outcome: str, reply: Reply | None) -> None:
    """Write down what was answered."""
    ReportAttempt.objects.filter(pk=attempt.pk).update(
        ended_at=Now(),
        outcome=outcome,
        code=reply.code if reply is not None else None,
        said=reply.said if reply is not None else "",
    )


@transaction.atomic
def begin_send(report: Report, host: str) -> tuple[Report, list[ReportRow], ReportAttempt] | None:
    """Take a report to send it: `unknown` from now on, until its answer is stored. None where it is not to be sent."""
    row = Report.objects.select_for_update().get(pk=report.pk)
    if row.status != ReportStatus.PREPARED or row.released_at is None:
        return None
    rows = list(ReportRow.objects.filter(report=row, status=ReportStatus.PREPARED).order_by("number"))
    if not rows:
        return None
    ReportRow.objects.filter(pk__in=[each.pk for each in rows]).update(status=ReportStatus.UNKNOWN)
    Report.objects.filter(pk=row.pk).update(
        status=ReportStatus.UNKNOWN, sends=F("sends") + 1, last_sent_at=Now(),
        next_try_at=after(_SOONEST_SECONDS * 4.0),
        sent_rows=[each.number for each in rows], sent_to=host, last_code=None, last_reason="",
    )  # fmt: skip
    row.refresh_from_db()
    return row, rows, begin_attempt(row, AttemptKind.SEND, host)


@transaction.atomic
def end_send(report: Report, attempt: ReportAttempt, sent: Sent) -> None:
    """Store what became of a request to send; one that another has taken over meanwhile changes nothing."""
    end_attempt(attempt, sent.reason or sent.came.value, sent.reply)
    row = Report.objects.select_for_update().get(pk=report.pk)
    if row.status != ReportStatus.UNKNOWN or row.sends != report.sends:
        return
    said = {"last_code": sent.reply.code, "last_reason": sent.reason}
    this, rows = Report.objects.filter(pk=row.pk), ReportRow.objects.filter(report=row, status=ReportStatus.UNKNOWN)
    if sent.came == Came.TAKEN:
        rows.update(status=ReportStatus.SENT)
        this.update(
            status=ReportStatus.SENT, reference=sent.reference[:100], sent_at=Now(), next_try_at=after(10.0), **said
        )
        audit.record(row, "send_report", new={"reference": sent.reference, "to": row.sent_to})
    elif sent.came == Came.REFUSED:
        rows.update(status=ReportStatus.REFUSED, reason=sent.reason)
        _sum_up(row, said)
        audit.record(row, "refuse_report", new={"reason": sent.reason})
    elif sent.came == Came.UNKNOWN:
        this.update(next_try_at=after(_SOONEST_SECONDS * 2.0), **said)
    else:
        rows.update(status=ReportStatus.PREPARED)
        _put_back(row, said, is_held=sent.came == Came.HELD, retry_after_s=sent.reply.retry_after_s)


@transaction.atomic
def tell(report: Report, told: Mapping[UUID, Told], reason: str = "", code: int | None = None) -> None:
    """Store what a service says of single objects, and when to ask about the others."""
    row = Report.objects.select_for_update().get(pk=report.pk)
    for each in ReportRow.objects.filter(report=row, pk__in=told, status__in=(ReportStatus.PREPARED, *AWAITED)):
        said = told[each.pk]
        if (each.status, each.name, each.reason) == (said.status, said.name, said.reason):
            continue
        ReportRow.objects.filter(pk=each.pk).update(
            status=said.status,
            name=said.name[:100],
            reason=said.reason or ("" if said.name else "No reason was given."),
        )
        new = {"object": each.internal_name, "status": said.status, "name": said.name, "reason": said.reason}
        audit.record(row, "answer_report", old={"status": each.status}, new=new)
    _sum_up(row, {"last_reason": reason, "last_code": code})


@transaction.atomic
def not_there(report: Report) -> None:
    """Let a report be sent again of which the service is sure to have nothing."""
    row = Report.objects.select_for_update().get(pk=report.pk)
    if row.status != ReportStatus.UNKNOWN or row.sends != report.sends:
        return
    ReportRow.objects.filter(report=row, status=ReportStatus.UNKNOWN).update(status=ReportStatus.PREPARED)
    is_held = row.sends >= MOST_SENDS
    reason = _TOO_OFTEN.format(count=row.sends) if is_held else "The service has nothing of it: it is sent again."
    _put_back(row, {"last_reason": reason}, is_held=is_held, retry_after_s=0.0)
    audit.record(row, "report_not_there", new={"sends": row.sends})


def put_off(report: Report, reason: str, code: int | None, *, is_held: bool = False) -> None:
    """Try again later; where it is held, not before a person lets it go again."""
    with transaction.atomic():
        row = Report.objects.select_for_update().get(pk=report.pk)
        said = {"last_reason": reason, "last_code": code}
        if row.status == ReportStatus.PREPARED:
            _put_back(row, said, is_held=is_held, retry_after_s=None)
        elif row.status in AWAITED:
            Report.objects.filter(pk=row.pk).update(next_try_at=after(_wait(row)), **said)


def _put_back(row: Report, said: Mapping[str, object], *, is_held: bool, retry_after_s: float | None) -> None:
    wait = _wait(row) if retry_after_s is None else retry_after_s
    times = {"released_at": None, "next_try_at": None} if is_held else {"next_try_at": after(wait)}
    Report.objects.filter(pk=row.pk).update(status=ReportStatus.PREPARED, **times, **said)


def _sum_up(row: Report, said: Mapping[str, object]) -> None:
    """Give a report the state of that of its objects which is least far; those that were refused do not count."""
    states = set(ReportRow.objects.filter(report=row).values_list("status", flat=True))
    status = _least(states)
    is_open = status in (*AWAITED, ReportStatus.PREPARED)
    is_late = _age(row) > _PATIENCE_SECONDS
    Report.objects.filter(pk=row.pk).update(
        status=status, next_try_at=after(_wait(row)) if is_open and not is_late else None, **said
    )


def _least(states: Collection[str]) -> ReportStatus:
    order = (
        ReportStatus.UNKNOWN, ReportStatus.PREPARED, ReportStatus.SENT, ReportStatus.RECEIVED, ReportStatus.NAMED,
        ReportStatus.REFUSED, ReportStatus.WITHDRAWN,
    )  # fmt: skip
    return next(status for status in order if status in states)


def _age(row: Report) -> float:
    since = row.last_sent_at or row.released_at or row.created_at
    return (timezone.now() - since).total_seconds()


def _wait(row: Report) -> float:
    return min(max(_age(row) / 4.0, _SOONEST_SECONDS), _LATEST_SECONDS)


def age_of_send(report: Report) -> float:
    """Return how long ago the last request to send was begun, seconds."""
    return _age(report)


def open_rows(report: Report, states: Sequence[str]) -> list[ReportRow]:
    """Return the objects of a report in some states, in their order."""
    return list(ReportRow.objects.filter(report=report, status__in=states).select_related("report").order_by("number"))
