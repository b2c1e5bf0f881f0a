"""Send one report, or ask what became of it: by what it is now, and never twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from curation.models import AWAITED, AttemptKind, Report, ReportRow, ReportService, ReportStatus
from curation.reports import keeping, mpc_service, tns_service
from curation.reports.asking import Asked, Knows, Sent, Told
from curation.reports.preparing import why_not_sent
from curation.reports.setup import mpc_setup, tns_setup

_FORGOTTEN = "The service has other objects of this report, and nothing of this one: look there what became of it."


@dataclass(frozen=True)
class _Service:
    """How one service is spoken to; nearby: what is asked before something is sent, if anything."""

    send: Callable[[Report, Sequence[ReportRow]], Sent]
    ask: Callable[[Report, Sequence[ReportRow]], Asked]
    nearby: Callable[[Sequence[ReportRow]], Asked] | None
    settled_seconds: float


_SERVICES: Mapping[str, _Service] = {
    ReportService.MPC: _Service(mpc_service.send, mpc_service.ask, None, mpc_service.SETTLED_SECONDS),
    ReportService.TNS: _Service(
        tns_service.send, tns_service.ask, tns_service.named_nearby, tns_service.SETTLED_SECONDS
    ),
}


def run(report_id: str) -> None:
    """Do what is due for a report: send it, or ask about it. With nothing due it does nothing."""
    report = Report.objects.due().filter(pk=report_id).first()
    if report is None:
        return
    service = _SERVICES[report.service]
    if report.status != ReportStatus.PREPARED:
        _ask(report, service)
        return
    if why := why_not_sent(report.service):
        keeping.put_off(report, why, None, is_held=True)
    elif _is_new(report, service):
        _send(report, service)


def _is_new(report: Report, service: _Service) -> bool:
    """Ask whether what a report says is new has a name already; return whether anything is left to be sent."""
    if service.nearby is None:
        return True
    rows = keeping.open_rows(report, (ReportStatus.PREPARED,))
    attempt = keeping.begin_attempt(report, AttemptKind.CHECK, _host(report, AttemptKind.CHECK))
    asked = service.nearby(rows)
    keeping.end_attempt(attempt, _outcome(asked), asked.reply)
    if asked.knows == Knows.NO_ANSWER:
        keeping.put_off(report, f"Nothing is sent before the service says what is there: {asked.reason}", None)
        return False
    if asked.told:
        keeping.tell(report, asked.told)
    return len(asked.told) < len(rows)


def _send(report: Report, service: _Service) -> None:
    taken = keeping.begin_send(report, _host(report, AttemptKind.SEND))
    if taken is None:
        return
    held, rows, attempt = taken
    for row in rows:
        row.report = held
    keeping.end_send(held, attempt, service.send(held, rows))


def _ask(report: Report, service: _Service) -> None:
    rows = keeping.open_rows(report, AWAITED)
    attempt = keeping.begin_attempt(report, AttemptKind.ASK, _host(report, AttemptKind.ASK))
    asked = service.ask(report, rows)
    keeping.end_attempt(attempt, _outcome(asked), asked.reply)
    is_settled = keeping.age_of_send(report) >= service.settled_seconds
    code = asked.reply.code if asked.reply is not None else None
    if asked.told:
        keeping.tell(report, {**_forgotten(report, rows, asked, is_settled=is_settled), **asked.told}, code=code)
    elif asked.knows == Knows.NOTHING and report.status == ReportStatus.UNKNOWN and is_settled:
        keeping.not_there(report)
    else:
        keeping.put_off(report, asked.reason or _waiting(report), code)


def _forgotten(report: Report, rows: Sequence[ReportRow], asked: Asked, *, is_settled: bool) -> dict[UUID, Told]:
    """Return what is to be said of objects that the service does not know, of a report that has arrived."""
    if report.status != ReportStatus.UNKNOWN:
        return {}
    lacking = [row for row in rows if row.pk not in asked.told]
    if is_settled and asked.knows != Knows.NO_ANSWER:
        return {row.pk: Told(ReportStatus.REFUSED, reason=_FORGOTTEN) for row in lacking}
    return {}


def _waiting(report: Report) -> str:
    if report.status == ReportStatus.UNKNOWN:
        return "The service has nothing of it so far; it may still be going through it."
    return "The service has not gone through it yet."


def _outcome(asked: Asked) -> str:
    if not asked.told:
        return asked.reason or ("It has nothing of it." if asked.knows == Knows.NOTHING else asked.knows.value)
    return " ".join(f"{told.name or told.status}." for told in asked.told.values())


def _host(report: Report, kind: AttemptKind) -> str:
    """Return where a request goes, as it is shown."""
    if report.service == ReportService.TNS:
        url = tns_setup().url
    else:
        url = mpc_setup().submit_url if kind == AttemptKind.SEND else mpc_setup().status_url
    return urlsplit(url).netloc[:200]
