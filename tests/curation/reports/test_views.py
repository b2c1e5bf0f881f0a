"""Pages of reports, and the same for programs: a dry run first, then what is frozen, and who may."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from catalog.configuration.values import set_value
from catalog.people.audit import MACHINE, Actor
from curation.models import Report, ReportService
from curation.reports.preparing import prepare
from detection.models import Source
from tests.clients import account, client_of, refused
from tests.curation.reports.reporting import configure, pass_time, source_to_report, state, tracklet_to_report, work

pytestmark = pytest.mark.django_db


def test_a_report_is_seen_dry_prepared_taken_along_and_sent_with_the_services_words(client, namers, reporter):
    client.force_login(reporter)
    source = source_to_report()
    link = f"{reverse('curation:new_report')}?service=tns&object={source.pk}"
    assert link.replace("&", "&amp;") in client.get(reverse("curation:source", args=[source.pk])).content.decode()
    dry = client.get(link).content.decode()
    assert "A dry run" in dry and "reporting_group_id" in dry and not Report.objects.exists()
    answer = client.post(reverse("curation:new_report"), {"service": "tns", "object": [str(source.pk)]})
    report = Report.objects.get()
    assert answer.url == reverse("curation:report", args=[report.pk]) and namers.asked == []
    # What is measured later changes nothing of it.
    Source.objects.update(position_error_arcsec=9.0, name="Other")
    entry = json.loads(client.get(reverse("curation:report_file", args=[report.pk, "json"])).content)["at_report"]["0"]
    table = client.get(reverse("curation:report_file", args=[report.pk, "tsv"])).content.decode().splitlines()
    assert (entry["dec"]["error"], len(table)) == ("0.300", 2)
    assert dict(zip(*(line.split("\t") for line in table), strict=True))["dec.value"] == "+2.0100000"
    client.post(reverse("curation:release_report", args=[report.pk]))
    namers.bad_rows = {report.rows.get().internal_name}
    work()
    pass_time(report)
    work()
    page = client.get(reverse("curation:report", args=[report.pk])).content.decode()
    assert "Discovery date is in the future." in page and '<span class="state bad">refused</span>' in page
    assert "www" not in page and namers.host in page
    listed = client.get(reverse("curation:reports"), {"status": "refused"}).content.decode()
    assert report.rows.get().internal_name in listed
    assert (
        "It was not reported from here" not in client.get(reverse("curation:source", args=[source.pk])).content.decode()
    )


def test_what_forbids_a_report_is_told_and_nothing_is_written(client, reporter):
    client.force_login(reporter)
    row = tracklet_to_report(count=2)
    asked = {"service": "mpc", "object": [str(row.pk)]}
    page = client.get(reverse("curation:new_report"), asked).content.decode()
    assert "it has 2 positions in this night: 3 are needed" in page and "Prepare it" not in page
    assert "reports.mpc_submitter is not set" in page and "reports.mpc_sending is “never”" in page
    answer = client.post(reverse("curation:new_report"), asked)
    assert (answer.status_code, Report.objects.count()) == (409, 0)


def test_tracklets_are_chosen_from_those_of_the_last_nights(client, reporter):
    configure()
    client.force_login(reporter)
    row, few = tracklet_to_report(), tracklet_to_report(count=2, minutes=300.0, dec=3.0)
    page = client.get(reverse("curation:new_report")).content.decode()
    assert str(row.pk) in page and str(few.pk) not in page and "Nothing is chosen" not in page
    assert "Nothing is chosen" in client.get(reverse("curation:new_report"), {"service": "mpc"}).content.decode()
    dry = client.get(reverse("curation:new_report"), {"service": "mpc", "object": [str(row.pk)]}).content.decode()
    assert "&lt;obsTime&gt;2024-03-01T21:00:30.00Z" in dry
    member = row.members.first().detections.get()
    beside = client.get(reverse("curation:detection", args=[member.pk])).content.decode()
    assert f"service=mpc&amp;object={row.pk}" in beside


def test_programs_prepare_send_and_take_back_with_the_same_refusals(namers, reporter):
    source = source_to_report()
    program = client_of(reporter)
    wish = {"service": "tns", "objects": [str(source.pk)]}
    dry = program.post("/api/v1/reports/", {**wish, "dry_run": True}, "application/json").json()
    assert (dry["may_be_prepared"], dry["findings"], Report.objects.count()) == (True, [], 0)
    made = program.post("/api/v1/reports/", wish, "application/json")
    assert (made.status_code, made.json()["status"]) == (201, "prepared")
    again = program.post("/api/v1/reports/", wish, "application/json")
    assert "was reported already" in refused(again, 409, "refused")
    report = Report.objects.get()
    assert program.post(f"/api/v1/reports/{report.pk}/withdraw/").json()["status"] == "withdrawn"
    assert "taken back" in refused(program.post(f"/api/v1/reports/{report.pk}/withdraw/"), 409, "not_possible")
    key = program.post("/api/v1/reports/", wish, "application/json").json()["id"]
    assert program.post(f"/api/v1/reports/{key}/send/").json()["released_at"]
    work()
    assert len(namers.names) == 1
    (row,) = program.get("/api/v1/report-rows/", {"report": key}).json()["results"]
    assert (row["status"], row["body"]["internal_name"]) == ("sent", namers.names[0])
    kinds = program.get("/api/v1/report-attempts/", {"report": key}).json()["results"]
    assert sorted(one["kind"] for one in kinds) == ["check", "send"]
    reading = client_of(reporter, ["reports:read"])
    assert reading.post("/api/v1/reports/", wish, "application/json").status_code == 403
    assert client_of("viewer").get("/api/v1/reports/").status_code == 403


def test_who_judges_blind_neither_reads_nor_makes_reports(client, reporter):
    configure()
    source = source_to_report()
    report = prepare(ReportService.TNS, [source.pk], reporter, Actor(reporter))
    set_value("curation.blind", True, MACHINE)
    client.force_login(reporter)
    assert report.rows.get().internal_name not in client.get(reverse("curation:reports")).content.decode()
    assert client.get(reverse("curation:report", args=[report.pk])).status_code == 403
    assert client_of(reporter).get("/api/v1/reports/").json()["results"] == []
    client.force_login(account("operator"))
    assert client.get(reverse("curation:report", args=[report.pk])).status_code == 200
    assert state(report)[0] == "prepared"
