"""People at work in the admin, in a real browser."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Page, expect

from catalog.configuration import values
from catalog.models import AuditLog, JobStatus, ProcessingJob
from catalog.people import audit
from catalog.work import jobs
from catalog.work.stages import types_of
from differencing.models import DifferenceRun
from tests.factories import (
    ArchiveHostFactory,
    ArchiveProductFactory,
    DeliveryFactory,
    InvitationFactory,
    LoginSessionFactory,
    ObservationFactory,
    ProcessingJobFactory,
    ReportAttemptFactory,
    ReportRowFactory,
    SurveyFactory,
    UserFactory,
)
from tests.looks import choose_theme
from tests.nights import Night, Processed, restore

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "differencing.threshold_sigma"
PASSWORD = "correct-horse-47"
# Most pages that somebody has to look at, on the smallest and the usual screen.
SCREENS = ((1366, 768), (390, 844))


def sign_in(page: Page, address: str, role: str) -> None:
    account = UserFactory(username=role)
    account.set_password(PASSWORD)
    account.save()
    account.groups.add(Group.objects.get(name=role))
    page.goto(f"{address}/admin/")
    page.get_by_label("User name").fill(role)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Site administration")).to_be_visible()


def work_off() -> list[str]:
    """Do the waiting jobs of the pipeline as a worker would; return their types."""
    done = []
    while (job := jobs.claim_next(types_of("pipeline"), jobs.this_owner())) is not None:
        jobs.do(job)
        assert job.status == JobStatus.COMPLETED, job.error_message
        done.append(job.job_type)
    return done


@pytest.fixture
def live_night(
    processed_night: Processed, delivered_nights: Path, transactional_db: None, empty_data_root: Path
) -> Night:
    # Rows that point at each other are checked when all are there.
    with transaction.atomic():
        return restore(processed_night, delivered_nights, empty_data_root)


def test_an_administrator_changes_a_threshold_sees_it_used_and_puts_it_back(
    live_night: Night, page: Page, live_server: Any
):
    frame = live_night.good[0]
    before = DifferenceRun.objects.get(observation=frame, status="completed")
    sign_in(page, live_server.url, "administrator")

    page.get_by_role("link", name="Configuration").click()
    page.get_by_label("Find a key").fill("threshold_sigma")
    page.get_by_role("button", name="Find").click()
    page.get_by_title(KEY).click()
    page.get_by_label("Value").fill("2")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text(f"{KEY} must be at least 3, not 2.0.")).to_be_visible()
    page.get_by_label("Value").fill("20")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Give a reason: this changes what becomes science.")).to_be_visible()
    page.get_by_label("Reason").fill("Too many faint ones.")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text(f"{KEY} is 20 now.")).to_be_visible()

    page.goto(f"{live_server.url}/admin/observations/observation/?q={frame.original_name}")
    page.get_by_role("link", name=frame.original_name, exact=True).click()
    page.get_by_role("link", name="Reprocess", exact=True).click()
    page.get_by_role("button", name="Reprocess").click()
    expect(page.get_by_text("Frames queued for reprocessing: 1.")).to_be_visible()
    assert "difference" in work_off()

    page.locator("#content").get_by_role("link", name="difference runs").click()
    thresholds = page.locator("#result_list tbody").locator("td[data-label='threshold σ']")
    expect(thresholds).to_have_text(["20.0", "5.0"])
    after = DifferenceRun.objects.exclude(pk=before.pk).get(observation=frame, status="completed")
    assert (after.candidates_found or 0) < (before.candidates_found or 0)

    page.get_by_role("link", name="Configuration").click()
    page.get_by_title(KEY).click()
    expect(page.get_by_text(f"{KEY}: 5.0 → 20.0")).to_be_visible()
    expect(page.locator(".lines li")).to_contain_text(["administrator"])
    page.get_by_label("Reason").fill("Too few.")
    page.get_by_role("button", name="Reset to default").click()
    expect(page.get_by_text(f"{KEY} is 5 now.")).to_be_visible()
    assert values.snapshot()[KEY] == 5.0
    written = AuditLog.objects.filter(entity_type="systemconfig").order_by("id").values_list("user", "action")
    assert list(written) == [("administrator", "set_configuration"), ("administrator", "clear_configuration")]
    page.get_by_role("link", name="Audit log", exact=True).click()
    expect(page.get_by_text(f"{KEY}: 20.0 → 5.0")).to_be_visible()


def test_an_operator_tries_a_failed_job_again_and_is_offered_no_configuration(page: Page, live_server: Any):
    job = ProcessingJobFactory(status=JobStatus.FAILED, failure_code="clouded", error_message="Too little light.")
    sign_in(page, live_server.url, "operator")
    expect(page.get_by_role("link", name="Configuration")).to_have_count(0)

    page.get_by_text("Too little light.").locator("xpath=..").get_by_role("link", name="example").click()
    page.get_by_role("link", name="Try again", exact=True).click()
    page.get_by_role("link", name="Cancel").last.click()
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    page.get_by_role("link", name="Try again", exact=True).click()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Jobs queued again: 1.")).to_be_visible()
    assert ProcessingJob.objects.get().status == JobStatus.PENDING


def longest_names() -> list[str]:
    """Make rows whose names are as long as they may be, without a space; return the pages that show them."""
    word, address = "W" * 3000, f"https://archive.example.org/{'w' * 472}"
    survey = SurveyFactory(name=word[:100], base_url=address, api_endpoint=address)
    Group.objects.create(name=word[:150])
    person = UserFactory(username=word[:150], email=f"{'m' * 64}@{'d.' * 90}org")
    InvitationFactory(email=person.email, last_reason=word)
    LoginSessionFactory(user=person, user_agent=word)
    failed = {"status": "failed", "failure_code": "clouded", "error_message": word}
    frame = ObservationFactory(survey=survey, original_name=f"{word[:250]}.fits", **failed)
    job = ProcessingJobFactory(entity_id=str(frame.pk), workflow_id=word[:64], **failed)
    audit.record(frame, "archive_observation", summary=word, old={word[:60]: word}, new={"value": word})
    product = ArchiveProductFactory(
        archive__survey=survey, archive__credential=word[:64], title=word[:255], name=word[:2000], reason=word
    )
    ArchiveHostFactory(name=word[:255], reason=word, resting_until=timezone.now() + dt.timedelta(hours=1))
    report = ReportRowFactory(report__last_reason=word, report__person=person, name=word[:100], reason=word).report
    ReportAttemptFactory(report=report, host=word[:200], outcome=word, said=word)
    delivery = DeliveryFactory(
        subscription__name=word[:100], subscription__owner=person, subscription__address=address,
        subscription__stopped_reason=word, publication__alert__title=word[:200], last_reason=word,
    )  # fmt: skip
    admin = ["", "observations/observation/", "catalog/systemconfig/", "catalog/auditlog/"]
    admin += [f"observations/observation/{frame.pk}/change/", f"observations/survey/{survey.pk}/change/"]
    admin += [f"catalog/processingjob/{job.pk}/change/", f"catalog/user/{person.pk}/change/"]
    site = [
        "",
        "people",
        "audit",
        "archives",
        "subscriptions",
        "subscriptions/new",
        "subscriptions/deliveries",
        "reports",
    ]
    site += [f"people/{person.pk}", f"archives/{product.archive_id}", f"subscriptions/{delivery.subscription_id}"]
    site += [f"reports/{report.pk}", f"observations/{frame.pk}", f"alerts/{delivery.publication.alert_id}"]
    return [*(f"/admin/{path}" for path in admin), *(f"/{path}/".replace("//", "/") for path in site)]


def test_no_page_is_wider_than_the_screen_with_the_longest_names(page: Page, live_server: Any):
    sign_in(page, live_server.url, "administrator")
    found = []
    for path in longest_names():
        answer = page.goto(f"{live_server.url}{path}")
        assert answer is not None and answer.ok, path
        for width, height in SCREENS:
            page.set_viewport_size({"width": width, "height": height})
            wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            found += [f"{path} is {wider} px too wide at {width} px"] if wider > 0 else []
    assert found == []


def test_the_admin_is_dark_until_somebody_chooses_light(page: Page, live_server: Any):
    sign_in(page, live_server.url, "administrator")
    expect(page.locator("html")).to_have_class("dark")
    choose_theme(page, live_server.url, "light")
    page.reload()
    expect(page.locator("html")).to_have_class("light")


def test_every_field_of_a_list_and_a_form_has_a_name(page: Page, live_server: Any):
    ObservationFactory()
    sign_in(page, live_server.url, "administrator")
    nameless = """() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
        .filter((field) => !field.labels?.length && !field.ariaLabel && !field.title).map((field) => field.outerHTML)"""
    for path in ("observations/observation/", "observations/survey/add/", "catalog/systemconfig/", "catalog/user/add/"):
        page.goto(f"{live_server.url}/admin/{path}")
        page.wait_for_load_state("networkidle")
        assert page.evaluate(nameless) == [], path
