"""Discoveries reach the Transient Name Server once, whatever it does, and each state is what it has."""

from __future__ import annotations

import pytest

from catalog.models import AuditLog
from catalog.people.audit import Actor
from curation.models import Report, ReportAttempt, ReportService
from curation.reports.preparing import prepare, release
from tests.curation.reports.reporting import pass_time, source_to_report, state, work

pytestmark = pytest.mark.django_db


def sent(reporter, *sources) -> Report:
    """Prepare a report and let it go."""
    report = prepare(ReportService.TNS, [row.pk for row in sources], reporter, Actor(reporter))
    release(report, Actor(reporter))
    return report


def test_a_discovery_is_prepared_sent_and_named(namers, reporter):
    source = source_to_report()
    report = prepare(ReportService.TNS, [source.pk], reporter, Actor(reporter))
    assert (state(report), namers.asked) == (("prepared", [("prepared", "")]), []), "nothing is sent by itself"
    assert work() == 0
    release(report, Actor(reporter))
    work()
    assert state(report) == ("sent", [("sent", "")])
    (entry,) = namers.taken[0]["at_report"].values()
    assert (entry["internal_name"], entry["reporting_group_id"]) == (report.rows.get().internal_name, "135")
    assert entry["discovery_datetime"] == "2024-03-01 21:00:30.000"
    assert (entry["photometry"]["photometry_group"]["0"]["flux"], entry["non_detection"]["limiting_flux"]) == (
        "17.500", "19.01",
    )  # fmt: skip
    assert namers.agents[0] == 'tns_marker{"tns_id":4711,"type":"bot","name":"AstrID bot"}'
    pass_time(report)
    work()
    assert state(report) == ("named", [("named", "AT 2026x0")])
    assert work() == 0, "there is nothing more to do"
    assert [row.kind for row in ReportAttempt.objects.order_by("id")] == ["check", "send", "ask"]
    lines = AuditLog.objects.filter(entity_type="report").order_by("id").values_list("action", flat=True)
    assert list(lines) == ["prepare_report", "release_report", "send_report", "answer_report"]
