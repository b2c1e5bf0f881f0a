"""What people decide of reports: to prepare one, to let it go, to take it back.

Each is written with its line in the audit log and the order to send it in one transaction: none exists without the
others.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from catalog.failures import NotPossible
from catalog.json_classes import as_json
from catalog.models import User, Visitor
from catalog.people import audit
from catalog.work import jobs
from curation.judgements.visibility import is_blind
from curation.models import AWAITED, Report, ReportRow, ReportService, ReportStatus
from curation.reports.duplicates import duplicates, hold
from curation.reports.facts import Draft, Finding, ReportRefused
from curation.reports.mpc_draft import draft_of_tracklets
from curation.reports.setup import Sending, lacks_to_send, sending_to
from curation.reports.tns_draft import draft_of_sources

JOB_TYPE, ENTITY = "report", "report"
BLIND = "Reports tell what people judged, and this account judges blind: use one that does not judge."
# What one request holds; of what the Transient Name Server gets, each is asked about by itself.
MOST_OBJECTS = {ReportService.MPC: 50, ReportService.TNS: 10}


def draft_of(service: ReportService, keys: Sequence[UUID], user: Visitor) -> Draft:
    """Return what a report would say, and what forbids it: nothing is written or sent."""
    if is_blind(user):
        return Draft(service, findings=(Finding("", BLIND),))
    if len(keys) > MOST_OBJECTS[service]:
        return Draft(service, findings=(Finding("", f"A report holds {MOST_OBJECTS[service]} objects at most."),))
    draft = draft_of_tracklets(keys, user) if service == ReportService.MPC else draft_of_sources(keys, user)
    return draft.found(duplicates(draft))


def prepare(service: ReportService, keys: Sequence[UUID], user: User, actor: audit.Actor) -> Report:
    """Write down what is to be reported, frozen; to be sent at once where that is configured. Raises ReportRefused."""
    draft = draft_of(service, keys, user)
    with transaction.atomic():
        hold()
        # Somebody may have reported the same while this was put together.
        again = draft.found(tuple(found for found in duplicates(draft) if found not in draft.findings))
        if again.refusals or not again.rows:
            raise ReportRefused(again)
        report = Report(service=service, person=user, head=as_json(draft.head) or {}, station=draft.station)
        report.save(force_insert=True)
        for number, row in enumerate(draft.rows):
            is_mpc = service == ReportService.MPC
            ReportRow.objects.create(
                report=report, number=number, internal_name=row.internal_name, body=as_json(row.body),
                source_id=None if is_mpc else row.key, tracklet_id=row.key if is_mpc else None,
                ra=row.ra, dec=row.dec, first_mjd_utc=row.first_mjd_utc, last_mjd_utc=row.last_mjd_utc,
                neo_score=row.neo_score, neo_score_lack=row.neo_score_lack[:200],
            )  # fmt: skip
        told = {"service": str(service), "objects": [row.internal_name for row in draft.rows]}
        audit.record(report, "prepare_report", actor=actor, new=told)
        if sending_to(service) == Sending.AT_ONCE and not lacks_to_send(service):
            _let_go(report, audit.MACHINE)
    return report


def why_not_sent(service: str) -> str:
    """Return why nothing can be sent to a service now; "" where it can."""
    name = ReportService(service).label
    if sending_to(service) == Sending.NEVER:
        return (
            f"Nothing is sent to the {name}: reports.{service}_sending is “never”. An administrator changes that under "
            "Configuration; until then, take the file along and send it yourself."
        )
    return " ".join(lacks_to_send(service))


@transaction.atomic
def release(report: Report, actor: audit.Actor) -> None:
    """Let a prepared report be sent. Raises NotPossible."""
    row = _locked(report)
    if row.status != ReportStatus.PREPARED or row.released_at is not None:
        raise NotPossible("This report is on its way already, or at its end.")
    if why := why_not_sent(row.service):
        raise NotPossible(why)
    _let_go(row, actor)


@transaction.atomic
def withdraw(report: Report, actor: audit.Actor) -> None:
    """Take back what was prepared and has not arrived anywhere. Raises NotPossible."""
    row = _locked(report)
    if row.status != ReportStatus.PREPARED:
        raise NotPossible("This report has left, or has been taken back: it cannot be taken back any more.")
    Report.objects.filter(pk=row.pk).update(status=ReportStatus.WITHDRAWN, released_at=None, next_try_at=None)
    row.rows.filter(status=ReportStatus.PREPARED).update(status=ReportStatus.WITHDRAWN)
    audit.record(row, "withdraw_report", actor=actor, old={"status": row.status}, new={"status": "withdrawn"})


@transaction.atomic
def ask_again(report: Report, actor: audit.Actor) -> None:
    """Ask the service now what became of a report. Raises NotPossible."""
    row = _locked(report)
    if row.status not in AWAITED:
        raise NotPossible("There is nothing to ask about this report.")
    Report.objects.filter(pk=row.pk).update(next_try_at=Now())
    jobs.enqueue(JOB_TYPE, ENTITY, row.pk)
    audit.record(row, "ask_about_report", actor=actor)


def _let_go(report: Report, actor: audit.Actor) -> None:
    Report.objects.filter(pk=report.pk).update(released_at=Now(), next_try_at=Now(), last_reason="")
    jobs.enqueue(JOB_TYPE, ENTITY, report.pk)
    audit.record(report, "release_report", actor=actor)


def _locked(report: Report) -> Report:
    row: Report = Report.objects.select_for_update().get(pk=report.pk)
    return row
