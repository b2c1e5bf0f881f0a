"""Discoveries reach the Transient Name Server once, whatever it does, and each state is what it has."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import transaction

from catalog.failures import NotPossible
from catalog.models import AuditLog
from catalog.people.audit import Actor
from curation.models import Report, ReportAttempt, ReportService
from curation.reports import stage
from curation.reports.facts import ReportRefused
from curation.reports.preparing import draft_of, prepare, release, withdraw
from detection.models import ContextArea, ForcedPhotometry, KnownObjectSearch
from observations.models import Observation, Telescope
from preprocessing.models import PreprocessRun
from tests.curation.reports.reporting import (
    configure,
    pass_time,
    source_to_report,
    state,
    telescope,
    work,
)
from tests.factories import (
    FIRST_EXPOSURE,
    ContextSourceFactory,
    DoubtFactory,
    KnownObjectFactory,
    TrackletFactory,
)
from tests.namers import KEY
from tests.ports import free_ports

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


def test_what_was_taken_in_silence_is_found_by_our_name_and_not_sent_again(namers, reporter):
    report = sent(reporter, source_to_report())
    namers.faults = ["hang"]
    work()
    assert state(report) == ("unknown", [("unknown", "")])
    pass_time(report)
    work()
    assert state(report) == ("named", [("named", "AT 2026x0")])
    assert namers.names == [report.rows.get().internal_name], "0 lost, 0 doubled"


def test_a_504_is_asked_about_and_sent_again_only_when_the_service_is_sure_to_have_nothing(namers, reporter):
    report = sent(reporter, source_to_report())
    namers.faults = ["504"]
    work()
    assert (state(report)[0], report.last_code, namers.names) == ("unknown", 504, [])
    pass_time(report)
    work()
    assert (state(report)[0], namers.names) == ("unknown", []), "it may still be going through it"
    pass_time(report, hours=1.0)
    work()
    assert state(report) == ("prepared", [("prepared", "")])
    work()
    pass_time(report)
    work()
    assert (state(report)[0], report.sends, namers.names) == ("named", 2, [report.rows.get().internal_name])


def test_a_504_behind_which_it_was_taken_is_not_sent_again(namers, reporter):
    report = sent(reporter, source_to_report())
    namers.faults = ["504 taken"]
    work()
    pass_time(report, hours=5.0)
    work()
    assert (state(report)[0], report.sends, len(namers.names)) == ("named", 1, 1)


def test_one_object_of_several_that_is_refused_says_why_and_the_others_are_named(namers, reporter):
    of = telescope()
    sources = [source_to_report(dec, of) for dec in (2.01, 2.02, 2.03)]
    report = sent(reporter, *sources)
    bad = report.rows.get(number=1)
    namers.bad_rows = {bad.internal_name}
    work()
    pass_time(report)
    work()
    assert state(report) == ("named", [("named", "AT 2026x0"), ("refused", ""), ("named", "AT 2026x2")])
    bad.refresh_from_db()
    assert bad.reason == "Discovery date is in the future."
    assert len(namers.names) == len(set(namers.names)) == 3
    # What was refused may be reported again, once it is right.
    again = prepare(ReportService.TNS, [sources[1].pk], reporter, Actor(reporter))
    assert again.rows.get().internal_name != bad.internal_name


def test_a_service_that_is_down_for_an_hour_loses_nothing_and_gets_it_once(namers, reporter, settings):
    report = sent(reporter, source_to_report())
    there, settings.ASTRID_TNS_URL = settings.ASTRID_TNS_URL, f"http://127.0.0.1:{free_ports(1)[0]}/api"
    settings.ASTRID_OUTGOING_HOSTS = ["127.0.0.1"]
    for _ in range(5):
        work()
        assert state(report) == ("prepared", [("prepared", "")]), "nothing left"
        assert "broke off" in report.last_reason or "could not be reached" in report.last_reason
        assert report.next_try_at is not None
        pass_time(report)
    settings.ASTRID_TNS_URL = there
    work()
    pass_time(report)
    work()
    assert (state(report)[0], report.sends, len(namers.names)) == ("named", 1, 1)


def test_a_worker_that_dies_between_leaving_and_answer_leaves_it_unknown(namers, reporter, monkeypatch):
    report = sent(reporter, source_to_report())
    monkeypatch.setitem(
        stage._SERVICES, "tns", replace(stage._SERVICES["tns"], send=lambda *_: (_ for _ in ()).throw(SystemExit))
    )
    with pytest.raises(SystemExit):
        stage.run(str(report.pk))
    assert state(report) == ("unknown", [("unknown", "")])
    monkeypatch.undo()
    pass_time(report, hours=1.0)
    stage.run(str(report.pk))
    stage.run(str(report.pk))
    assert (report.rows.get().internal_name in namers.names, len(namers.names)) == (True, 1)


def test_what_has_a_name_within_three_arcseconds_is_not_sent_at_whatever_date(namers, reporter):
    of = telescope()
    report = sent(reporter, source_to_report(2.01, of), source_to_report(2.02, of))
    namers.known = [(150.01, 2.01 + 2.5 / 3600.0, "1987A"), (150.01, 2.02 + 3.5 / 3600.0, "1604A")]
    work()
    (refused, other) = report.rows.order_by("number")
    assert (refused.status, refused.reason) == ("refused", "AT 1987A is within 3″ of it already.")
    assert (other.status, namers.names) == ("sent", [other.internal_name])
    pass_time(report)
    work()
    assert state(report) == ("named", [("refused", ""), ("named", "AT 2026x0")])


def test_a_key_that_is_refused_holds_the_report_until_a_person_lets_it_go(namers, reporter):
    report = sent(reporter, source_to_report())
    namers.faults = ["403"]
    work()
    assert (state(report)[0], report.released_at) == ("prepared", None)
    assert "Check the address and the key" in report.last_reason
    pass_time(report)
    assert work() == 0
    release(report, Actor(reporter))
    work()
    assert (state(report)[0], len(namers.names)) == ("sent", 1)


def test_nothing_that_is_kept_holds_the_key(namers, reporter):
    report = sent(reporter, source_to_report())
    work()
    kept = [str(row.__dict__) for row in (*ReportAttempt.objects.all(), *Report.objects.all(), *AuditLog.objects.all())]
    assert KEY not in " ".join(kept) and report.status


def test_where_nothing_is_to_be_sent_nothing_is(namers, reporter):
    configure(tns_sending="never")
    report = prepare(ReportService.TNS, [source_to_report().pk], reporter, Actor(reporter))
    with pytest.raises(NotPossible, match=r"reports\.tns_sending is “never”"):
        release(report, Actor(reporter))
    configure(tns_sending="on_request")
    release(report, Actor(reporter))
    configure(tns_sending="never")
    work()
    assert (state(report)[0], report.released_at, namers.asked) == ("prepared", None, [])


def test_where_it_is_configured_a_report_goes_by_itself(namers, reporter):
    configure(tns_sending="at_once")
    prepare(ReportService.TNS, [source_to_report().pk], reporter, Actor(reporter))
    work()
    assert len(namers.names) == 1


def test_what_was_withdrawn_is_not_sent_and_may_be_reported_again(namers, reporter):
    source = source_to_report()
    report = prepare(ReportService.TNS, [source.pk], reporter, Actor(reporter))
    with pytest.raises(ReportRefused, match="was reported already"):
        prepare(ReportService.TNS, [source.pk], reporter, Actor(reporter))
    withdraw(report, Actor(reporter))
    with pytest.raises(NotPossible):
        release(report, Actor(reporter))
    prepare(ReportService.TNS, [source.pk], reporter, Actor(reporter))
    assert (work(), namers.asked) == (0, [])


def refusals(reporter, *sources) -> str:
    return " ".join(
        finding.message for finding in draft_of(ReportService.TNS, [s.pk for s in sources], reporter).refusals
    )


# What is changed about a source that may be reported, and what is then said.
FORBIDDEN = (
    (lambda s: s.detections.update(status="pending"), "nobody has judged it real"),
    (lambda s: s.detections.update(origin="imported"), "another survey found it"),
    (lambda s: Observation.objects.update(wcs_quality="header"), "is not solved against stars"),
    (lambda s: KnownObjectSearch.objects.all().delete(), "no orbits are loaded"),
    (lambda s: KnownObjectSearch.objects.update(orbits_at=FIRST_EXPOSURE), "days old, and none of them leads here"),
    (lambda s: ContextArea.objects.all().delete(), "no catalogue of variables is loaded"),
    (lambda s: ForcedPhotometry.objects.all().delete(), "tells that it was not there"),
    (lambda s: PreprocessRun.objects.update(zero_point_mag=None), "its brightness in frame"),
    (lambda s: PreprocessRun.objects.update(zero_point_system="instrumental"), "neither AB nor Vega"),
    (lambda s: Telescope.objects.update(tns_instrument_id=None), "has no number at the Transient Name Server"),
    (lambda s: Observation.objects.update(filter_band="L"), "add it as L=number"),
    (lambda s: DoubtFactory(observation=s.detections.get().observation), "Two keywords disagree."),
    (lambda s: TrackletFactory().members.add(s.detections.get().candidate), "it moves"),
    (lambda s: configure(tns_group_id=0), "reports.tns_group_id is not set"),
)


def test_what_must_not_be_reported_is_refused_with_what_to_do(reporter):
    configure()
    source = source_to_report()
    assert refusals(reporter, source) == ""
    for change, why in FORBIDDEN:
        with transaction.atomic():
            change(source)
            assert why in refusals(reporter, source)
            transaction.set_rollback(True)
    assert refusals(reporter, source) == ""


def test_known_asteroids_and_variables_are_refused_by_name(reporter):
    configure()
    source = source_to_report()
    frame = source.detections.get().observation
    body = KnownObjectFactory(observation=frame, ra=source.ra, dec=source.dec, designation="(2713) Luxembourg")
    assert "it is a known: (2713) Luxembourg" in refusals(reporter, source)
    body.delete()
    star = ContextSourceFactory(area=ContextArea.objects.get(), ra=source.ra, dec=source.dec, name="RR Lyr")
    assert "it is a known variable" in refusals(reporter, source) and "RR Lyr" in refusals(reporter, source)
    star.delete()
    assert refusals(reporter, source) == ""
