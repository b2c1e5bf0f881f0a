"""Astrometry reaches the Minor Planet Center once, in the format that its own validators accept."""

from __future__ import annotations

import contextlib
import io
from functools import cache
from pathlib import Path

import pytest
import xmlschema
from django.contrib.auth.models import Group
from django.db import transaction

with contextlib.redirect_stdout(io.StringIO()):
    from ades import adesutility, psvtoxml
from lxml import etree

from catalog.people.audit import Actor
from curation.models import Report, ReportService
from curation.reports.digest import neo_score
from curation.reports.documents import psv_document, xml_document
from curation.reports.facts import MovingBody, ReportRefused
from curation.reports.preparing import draft_of, prepare, release
from detection.models import KnownObjectSearch
from differencing.models import Candidate, Tracklet
from observations.models import Observation, Telescope
from preprocessing.models import PreprocessRun
from tests.curation.reports.reporting import configure, pass_time, state, telescope, tracklet_to_report, work
from tests.factories import FIRST_EXPOSURE, DoubtFactory, KnownObjectFactory, SurveyFactory

pytestmark = pytest.mark.django_db


def prepared(reporter, *tracklets) -> Report:
    return prepare(ReportService.MPC, [row.pk for row in tracklets], reporter, Actor(reporter))


def sent(reporter, *tracklets) -> Report:
    report = prepared(reporter, *tracklets)
    release(report, Actor(reporter))
    return report


def document(report: Report) -> bytes:
    return xml_document(report, list(report.rows.order_by("number")))


@cache
def schemas() -> tuple[list[etree.XMLSchema], xmlschema.XMLSchema]:
    """Return the rules of submission and of the general format, made from the standard's own master file."""
    master = etree.parse(str(adesutility.adesmaster))
    made = []
    for kind in ("submit", "general"):
        transform = etree.XSLT(etree.parse(str(adesutility.schemaxslts[kind])))
        made.append(etree.XMLSchema(transform(master)))
    folder = Path(str(adesutility.adesmaster)).parent.parent / "xsd"
    return made, xmlschema.XMLSchema(str(folder / "submit.xsd"))


def complaints(content: bytes) -> list[str]:
    """Return what the validators say against a document."""
    (submit, general), other = schemas()
    tree = etree.parse(io.BytesIO(content))
    said = [str(error) for schema in (submit, general) if not schema.validate(tree) for error in schema.error_log]
    return said + [str(error.reason) for error in other.iter_errors(io.BytesIO(content))]


def test_the_document_passes_the_schema_and_the_rules_of_submission_and_a_planted_fault_does_not(reporter):
    configure()
    report = prepared(reporter, tracklet_to_report())
    content = document(report)
    assert complaints(content) == []
    for right, wrong in (
        (b"rmsRA>", b"rmsRa>"), (b"<astCat>Gaia3</astCat>", b""), (b'version="2022"', b'version="2023"'),
        (b"<mpcCode>X99<", b"<mpcCode>X9<"), (b"submitter>", b"submiter>"), (b"<rmsMag>", b"<rmsMag>-"),
    ):  # fmt: skip
        assert right in content
        assert complaints(content.replace(right, wrong)) != [], wrong


def test_the_columns_say_the_same_as_the_xml(reporter, tmp_path):
    configure()
    report = prepared(reporter, tracklet_to_report())
    (tmp_path / "report.psv").write_bytes(psv_document(report, list(report.rows.all())))
    with contextlib.redirect_stdout(io.StringIO()):
        psvtoxml.psvtoxml(str(tmp_path / "report.psv"), str(tmp_path / "report.xml"))
    one, other = (etree.parse(io.BytesIO(content)).getroot() for content in (
        document(report), (tmp_path / "report.xml").read_bytes()
    ))  # fmt: skip
    told = [[(each.tag, (each.text or "").strip()) for each in root.iter() if len(each) == 0] for root in (one, other)]
    assert told[0] == told[1] and len(told[0]) > 60


def test_a_position_is_told_with_its_errors_catalogues_and_the_middle_of_its_exposure(reporter):
    configure()
    report = prepared(reporter, tracklet_to_report())
    first = etree.parse(io.BytesIO(document(report))).getroot().find(".//optical")
    told = {each.tag: each.text for each in first}
    row = report.rows.get()
    assert told == {
        "trkSub": row.internal_name, "mode": "CMO", "stn": "X99", "obsTime": "2024-03-01T21:00:30.00Z",
        "ra": "150.0000000", "dec": "+2.0000000", "rmsRA": "0.134", "rmsDec": "0.134", "astCat": "Gaia3",
        "mag": "17.50", "rmsMag": "0.062", "band": "G", "photCat": "Gaia3", "logSNR": "1.30", "seeing": "2.20",
        "exp": "60",
    }  # fmt: skip
    assert len(row.internal_name) == 8


def test_a_tracklet_is_sent_received_and_named(namers, reporter):
    report = sent(reporter, tracklet_to_report())
    work()
    assert state(report) == ("sent", [("sent", "")])
    assert report.reference == "2026-11-30T03:00:00.123_00000001"
    assert (namers.submissions[0]["ac2"], namers.submissions[0]["obj_type"]) == ("observer@example.org", "unclassified")
    assert namers.documents == [document(report)], "what is sent is what was frozen"
    pass_time(report)
    work()
    assert state(report) == ("received", [("received", "")])
    namers.named = {report.rows.get().internal_name: "2026 WA1"}
    pass_time(report)
    work()
    assert state(report) == ("named", [("named", "2026 WA1")])
    assert work() == 0


def test_whatever_the_center_does_nothing_is_lost_or_doubled(namers, reporter):
    of = telescope()
    reports = []
    for number, fault in enumerate(("hang", "504 taken", "504")):
        namers.faults = [fault]
        reports.append(sent(reporter, tracklet_to_report(of=of, minutes=60.0 * number)))
        work()
        assert state(reports[-1])[0] == "unknown"
    for report in reports:
        pass_time(report)
    work()
    assert [state(report)[0] for report in reports] == ["received", "received", "unknown"]
    pass_time(reports[2], hours=5.0)
    work()
    assert state(reports[2])[0] == "unknown", "it takes the Center hours"
    pass_time(reports[2], hours=7.0)
    work()
    assert state(reports[2])[0] == "prepared"
    work()
    assert state(reports[2])[0] == "sent"
    assert namers.trk_subs() == [report.rows.get().internal_name for report in reports], "0 lost, 0 doubled"


def test_a_rejected_tracklet_says_why_and_the_other_is_received(namers, reporter):
    of = telescope()
    report = sent(reporter, tracklet_to_report(of=of), tracklet_to_report(of=of, minutes=60.0))
    bad = report.rows.get(number=1)
    namers.bad_rows = {bad.internal_name}
    work()
    pass_time(report)
    work()
    assert state(report) == ("received", [("received", ""), ("refused", "")])
    bad.refresh_from_db()
    assert "residuals are too large" in bad.reason


def test_the_same_positions_are_not_reported_twice(reporter):
    configure()
    row = tracklet_to_report()
    report = prepared(reporter, row)
    again = tracklet_to_report(count=3, of=Telescope.objects.get(), minutes=200.0)
    again.members.set(row.members.all()[:3])
    with pytest.raises(ReportRefused, match=f"was reported as {report.rows.get().internal_name} already"):
        prepared(reporter, again)


FORBIDDEN = (
    (lambda t: t.members.set(t.members.all()[:2]), "it has 2 positions in this night: 3 are needed"),
    (lambda t: Telescope.objects.update(mpc_code=""), "has not got an observatory code"),
    (lambda t: Telescope.objects.update(aperture_m=None), "has not got an aperture"),
    (lambda t: Observation.objects.update(wcs_quality="header"), "is not solved against stars"),
    (lambda t: Observation.objects.update(mjd_utc=60000.0), "was processed with another time"),
    (lambda t: PreprocessRun.objects.update(wcs_info={}), "by which stars frame"),
    (lambda t: Candidate.objects.update(position_error_px=None), "how well its position"),
    (lambda t: DoubtFactory(observation=t.members.first().observation), "Two keywords disagree."),
    (lambda t: Tracklet.objects.update(is_doubtful=True), "chance makes tracklets like it too often"),
    (lambda t: Tracklet.objects.update(kind="stacked"), "no single frame shows a position"),
    (lambda t: t.members.first().detections.update(status="rejected"), "one of its detections was rejected"),
    (lambda t: configure(mpc_submitter=""), "reports.mpc_submitter is not set"),
)


def test_what_must_not_be_reported_is_refused_with_what_to_do(reporter):
    configure()
    row = tracklet_to_report()

    def refusals() -> str:
        return " ".join(found.message for found in draft_of(ReportService.MPC, [row.pk], reporter).refusals)

    assert refusals() == ""
    for change, why in FORBIDDEN:
        with transaction.atomic():
            change(row)
            assert why in refusals()
            transaction.set_rollback(True)
    assert refusals() == ""


def test_a_known_body_is_named_and_where_nobody_can_say_that_is_noted(reporter):
    configure()
    row = tracklet_to_report()
    for member in row.members.all():
        KnownObjectFactory(
            observation=member.observation, ra=member.ra, dec=member.dec, designation="(2713) Luxembourg"
        )
    (draft,) = draft_of(ReportService.MPC, [row.pk], reporter).rows
    assert {(each.perm_id, each.prov_id) for each in draft.body.positions} == {("2713", None)}
    report = prepared(reporter, row)
    assert complaints(document(report)) == []
    KnownObjectSearch.objects.update(orbits_at=FIRST_EXPOSURE)
    other = tracklet_to_report(of=Telescope.objects.get(), minutes=300.0, dec=3.0)
    KnownObjectSearch.objects.filter(observation__candidates__tracklets=other).update(orbits_at=FIRST_EXPOSURE)
    unsure = draft_of(ReportService.MPC, [other.pk], reporter)
    assert unsure.refusals == () and "whether it is a known body" in unsure.findings[0].message


def test_a_score_says_how_likely_it_passes_the_earth_or_why_there_is_none(reporter, monkeypatch):
    configure()
    pytest.importorskip("digest2")
    row = prepared(reporter, tracklet_to_report()).rows.get()
    assert row.neo_score is not None and 0.0 <= row.neo_score <= 100.0 and row.neo_score_lack == ""
    assert neo_score((), None) == (None, "where the telescope stands is not known")
    monkeypatch.setattr("curation.reports.digest._scorer", lambda: None)
    other = prepared(reporter, tracklet_to_report(of=Telescope.objects.get(), minutes=300.0, dec=3.0)).rows.get()
    assert other.neo_score is None and "digest2 is not installed" in other.neo_score_lack


def test_positions_of_a_survey_that_is_hidden_from_a_person_are_in_no_report_of_theirs(reporter):
    configure()
    row = tracklet_to_report(5)
    hidden = row.members.order_by("observation__mjd_utc")[0]
    closed = SurveyFactory(name="closed")
    closed.groups.add(Group.objects.create(name="a team"))
    Observation.objects.filter(pk=hidden.observation_id).update(survey=closed)
    (draft,) = draft_of(ReportService.MPC, [row.pk], reporter).rows
    assert isinstance(draft.body, MovingBody)
    assert [position.ra for position in draft.body.positions] == [150.002, 150.004, 150.006, 150.008]
