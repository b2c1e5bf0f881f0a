"""Frames in a real browser: handing in a good and a broken file, and looking at a difference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import Group
from playwright.sync_api import Page, expect

from catalog.models import JobStatus
from catalog.work import jobs
from observations.delivery.incoming import RECEIVE
from observations.models import IncomingFile
from tests.factories import UserFactory
from tests.observations.stored import fits_bytes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_data_root")]
PASSWORD = "correct-horse-47"
CARDS = {
    "OBJECT": "<script>alert(1)</script>", "RA": 150.0, "DEC": 2.0, "EXPTIME": 60.0, "FILTER": "R", "SCALE": 1.2,
    "DATE-OBS": "2024-03-01T21:00:00", "IMAGETYP": "Light Frame",
}  # fmt: skip


def sign_in(page: Page, address: str, role: str) -> None:
    account = UserFactory(username=role)
    account.set_password(PASSWORD)
    account.save()
    account.groups.add(Group.objects.get(name=role))
    page.goto(f"{address}/accounts/login/")
    page.get_by_label("User name").fill(role)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Tonight")).to_be_visible()


def work_off() -> list[str]:
    """Take in what was handed in, as a worker would; return how each file ended."""
    ends = []
    while (job := jobs.claim_next([RECEIVE], jobs.this_owner())) is not None:
        jobs.do(job)
        ends.append(job.status)
    return ends


def test_an_operator_hands_in_a_good_file_and_a_broken_one(page: Page, live_server: Any):
    sign_in(page, live_server.url, "operator")
    page.get_by_role("link", name="Upload frames").click()
    good = fits_bytes(np.random.default_rng(1).normal(100, 5, (64, 64)), **CARDS)
    page.get_by_label("FITS files").set_input_files(
        [
            {"name": "good.fits", "mimeType": "application/fits", "buffer": good},
            {"name": "broken.fits", "mimeType": "application/fits", "buffer": b"<html>not found</html>" * 200},
        ]
    )
    page.get_by_role("button", name="Upload").click()
    deliveries = page.locator("#deliveries > li")
    expect(deliveries).to_have_count(2)
    expect(deliveries.filter(has_text="good.fits")).to_contain_text("waiting for a worker")
    assert sorted(work_off()) == [JobStatus.COMPLETED, JobStatus.FAILED]
    expect(deliveries.filter(has_text="good.fits")).to_contain_text("ingested")
    expect(deliveries.filter(has_text="broken.fits")).to_contain_text("rejected")
    expect(deliveries.filter(has_text="broken.fits").locator(".reason")).to_contain_text("broken.fits:")
    deliveries.get_by_role("link", name="good.fits").click()
    expect(page.get_by_text("<script>alert(1)</script>").first).to_be_visible()
    expect(page.get_by_text("This frame has not been preprocessed yet.")).to_be_visible()
    expect(page.get_by_text("This frame has not been compared with a reference yet.")).to_be_visible()
    # The picture comes after the page.
    expect(page.locator(".whole-frame")).to_have_js_property("naturalWidth", 64)
    page.get_by_text("FITS header").click()
    expect(page.locator("#header-cards dl > div").first).to_contain_text("SIMPLE")
    page.get_by_label("Find").fill("script")
    expect(page.locator("#header-cards dl > div:visible")).to_have_text(["OBJECT'<script>alert(1)</script>'"])


def test_what_could_not_be_sent_is_sent_again_and_taken_once(page: Page, live_server: Any):
    sign_in(page, live_server.url, "operator")
    page.goto(f"{live_server.url}/observations/upload/")
    # The server takes the file, and its answer is lost.
    page.evaluate("""() => {
      const send = XMLHttpRequest.prototype.send;
      XMLHttpRequest.prototype.send = function (body) {
        XMLHttpRequest.prototype.send = send;
        Object.defineProperty(this, "responseText", { get: () => "" });
        Object.defineProperty(this, "status", { get: () => 0 });
        send.call(this, body);
      };
    }""")
    content = fits_bytes(np.ones((64, 64)), **CARDS)
    page.get_by_label("FITS files").set_input_files(
        [{"name": "light.fits", "mimeType": "application/fits", "buffer": content}]
    )
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#sending li")).to_contain_text("The server could not be reached.")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#deliveries > li")).to_contain_text("light.fits")
    expect(page.locator("#sending li")).to_have_count(0)
    assert IncomingFile.objects.count() == 1
