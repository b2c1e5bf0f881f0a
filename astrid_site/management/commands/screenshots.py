"""`manage.py screenshots`: every page as people see it, in each theme, on a laptop and on a phone."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict, Unpack

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand
from django.db.models import Model, QuerySet
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Error, sync_playwright

from astrid_site.running import database, supervisor
from astrid_site.running.health import health
from astrid_site.site.navigation import THEMES
from catalog.models import ProcessingJob
from catalog.people.accounts import demo_password, ensure_demo_accounts
from curation.models import Alert
from detection.models import Detection, Source
from detection.models import Model as NetworkModel
from differencing.models import DifferenceRun
from observations.models import Observation

SIZES = {"laptop": {"width": 1366, "height": 768}, "phone": {"width": 390, "height": 844}}
# A probe is sent every 15 s; workers on a busy machine take about as long to start.
MOST_SECONDS_TO_START = 120.0
# What the README shows: the first screen of a page, in the dark.
PICTURES = ("home", "triage")
_LISTS = (
    "home", "curation:detections", "detection:below_cut", "curation:known", "curation:sources", "curation:alerts",
    "curation:statistics", "curation:known_items", "curation:labels", "observations:observations",
    "observations:upload", "catalog:jobs", "detection:models", "catalog:audit", "catalog:profile", "admin:index",
)  # fmt: skip
_DETAILS: tuple[tuple[str, QuerySet[Model]], ...] = (
    ("curation:detection", Detection.objects.order_by("-confidence_score", "id")),
    ("curation:source", Source.objects.order_by("-detection_count", "id")),
    ("curation:alert", Alert.objects.order_by("-created_at", "-id")),
    ("observations:observation", Observation.objects.filter(status="differenced").order_by("-observation_time")),
    ("differencing:difference", DifferenceRun.objects.filter(candidates_found__gt=0).order_by("-created_at")),
    ("catalog:job", ProcessingJob.objects.filter(job_type="difference").order_by("-created_at")),
    ("detection:model", NetworkModel.objects.order_by("-is_active", "name")),
)


class _Given(TypedDict):
    folder: Path
    pictures: Path | None


class Command(BaseCommand):
    """Pages show what the data root holds: run `make demo` before."""

    help = "Write a picture of every page, in each theme and two sizes."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="folder for the pictures; created if necessary")
        parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="also the README's pictures, into FOLDER")

    def handle(self, *args: object, **options: Unpack[_Given]) -> None:
        folder: Path = options["folder"]
        folder.mkdir(parents=True, exist_ok=True)
        with database.usable(self.stderr.write):
            password = demo_password(settings.ASTRID_DEMO_PASSWORD)
            ensure_demo_accounts(password)
            pages = dict(_pages())
            try:
                # Workers too: without them the first page is all about their absence.
                with supervisor.running(self.stderr.write) as everything:
                    everything.wait_for_pages()
                    _wait_for_workers(self.stderr.write)
                    faults = _photograph(pages, password, folder)
            except (supervisor.AlreadyRunning, supervisor.PortTaken) as error:
                raise CommandError(f"{error} Stop it first, or choose another PORT.") from error
        if options["pictures"]:
            for name in PICTURES:
                shutil.copyfile(folder / f"{name}-dark-laptop.png", options["pictures"] / f"{name}.png")
        self.stdout.write(f"{len(pages) * len(THEMES) * len(SIZES)} pictures in {folder}")
        if faults:
            raise CommandError("The browser reported errors:\n" + "\n".join(sorted(faults)))


def _wait_for_workers(report: supervisor.Report) -> None:
    """Wait until each queue has answered a probe, or say that the pictures will tell of it."""
    deadline = time.monotonic() + MOST_SECONDS_TO_START
    while not health().is_well:
        if time.monotonic() > deadline:
            report("Not all workers have responded: the pictures will say so.")
            return
        time.sleep(1.0)


def _pages() -> Iterator[tuple[str, str]]:
    """Return name and address of each page; one of each kind of row that there is."""
    yield from ((_short(name), reverse(name)) for name in _LISTS)
    yield "triage", reverse("curation:triage")
    yield "triage-without-scripts", reverse("curation:triage_plain")
    yield "login", reverse("login")
    yield "not-found", "/nothing/"
    for name, rows in _DETAILS:
        row: Model | None = rows.first()
        if row is not None:
            yield _short(name), reverse(name, args=[row.pk])


def _short(name: str) -> str:
    return name.replace("admin:index", "admin").split(":")[-1]


def _photograph(pages: dict[str, str], password: str, folder: Path) -> set[str]:
    """Write the pictures; return what the browser's console held."""
    faults: set[str] = set()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        # Chromium's own sandbox refuses to run as root.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        try:
            browser = playwright.chromium.launch(executable_path=chromium, args=arguments, env={"HOME": profile})
        except Error as error:
            raise CommandError(
                "There is no Chromium. On Debian: apt-get install chromium; elsewhere: .venv/bin/playwright install "
                "chromium."
            ) from error
        for theme in THEMES:
            for size, viewport in SIZES.items():
                context = _signed_in(browser, password, theme, viewport)
                for name, path in pages.items():
                    path_of_picture = folder / f"{name}-{theme}-{size}.png"
                    faults |= {f"{name}: {fault}" for fault in _picture(context, path, path_of_picture)}
                context.close()
        browser.close()
    return faults


def _signed_in(browser: Browser, password: str, theme: str, viewport: dict[str, int]) -> BrowserContext:
    address = f"http://{settings.BIND_ADDRESS}:{settings.PORT}"
    context = browser.new_context(viewport=viewport, base_url=address)  # type: ignore[arg-type]
    context.add_cookies([{"name": "theme", "value": theme, "url": address}])
    page = context.new_page()
    page.goto(reverse("login"))
    page.fill("[name=username]", "administrator")
    page.fill("[name=password]", password)
    page.click("main button")
    page.wait_for_url("**/")
    page.close()
    return context


def _picture(context: BrowserContext, path: str, target: Path) -> list[str]:
    faults: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(path)
    page.wait_for_load_state("networkidle")
    if urllib.parse.urlsplit(page.url).path == reverse("curation:triage"):
        page.wait_for_selector("main[data-viewer-ready='true'], main .empty")
    page.screenshot(path=target)
    page.close()
    # The page that is not there says so in the console too.
    return [fault for fault in faults if "404" not in fault]
