"""`make bench-web`: how long pages and clients wait where very many detections are.

A whole site of its own over an empty data root: PostgreSQL, the web server, and Chromium for the triage page.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

PASSWORD = "bench-web-only-47"
REPEATS, KEYS = 40, 60
# What is asked for: milliseconds.
PAGE_P95, FEED_P95, KEY_P50 = 300.0, 50.0, 100.0
# From a key to the frame after the next item's cutouts are painted.
_WATCH = """() => {
  const main = document.querySelector("main"); window.waits = [];
  let begun = null, last = main.dataset.detectionId;
  addEventListener("keydown", () => { begun = performance.now(); }, true);
  new MutationObserver(() => {
    if (begun === null || main.dataset.viewerReady !== "true" || main.dataset.detectionId === last) return;
    last = main.dataset.detectionId; const since = begun; begun = null;
    requestAnimationFrame(() => setTimeout(() => window.waits.push(performance.now() - since)));
  }).observe(main, { attributes: true });
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detections", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="astrid-bench-") as root, socket.socket() as free:
        Path(root).chmod(0o755)
        free.bind(("127.0.0.1", 0))
        os.environ |= {
            "ASTRID_DATA_ROOT": root,
            "PORT": str(free.getsockname()[1]),
            "DJANGO_SETTINGS_MODULE": "astrid_site.settings",
            "ASTRID_API_RATE": "1000000/min",
        }
        free.close()
        measure(options.detections)


def measure(detections: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from astrid_site.running import database, supervisor
    from benchmarks.crowd import fill
    from catalog.people.accounts import ensure_demo_accounts

    with database.usable(print, is_owner=True):
        ensure_demo_accounts(PASSWORD)
        begun = time.monotonic()
        fill(detections)
        print(f"{detections} detections made in {time.monotonic() - begun:.0f} s")
        token = subprocess.run(
            [sys.executable, "manage.py", "issue_token", "administrator", "--scopes", "alerts:read", "detections:read"],
            check=True, capture_output=True, text=True,
        ).stdout.split()[-1]  # fmt: skip
        web = [service for service in supervisor.services() if service.name == "web"]
        with supervisor.running(print, web) as everything:
            everything.wait_for_pages()
            _pages()
            _clients(token)
            _keys()
        call_command("db", "stop")


def _address() -> str:
    return f"http://127.0.0.1:{os.environ['PORT']}"


@contextmanager
def _signed_in() -> Iterator[httpx.Client]:
    with httpx.Client(base_url=_address(), follow_redirects=True, timeout=60) as client:
        client.get("/accounts/login/")
        form = {"username": "administrator", "password": PASSWORD, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
        client.post("/accounts/login/", data=form).raise_for_status()
        yield client


def _pages() -> None:
    from curation.models import Alert
    from detection.models import Detection, Source

    detail = Detection.objects.order_by("-confidence_score").values_list("pk", flat=True)[0]
    source = Source.objects.order_by("-last_detected_at").values_list("pk", flat=True)[0]
    alert = Alert.objects.values_list("pk", flat=True)[0]
    paths = [
        "/", "/detections/", "/detections/?status=pending&score_min=0.5", "/sources/", "/alerts/", "/observations/",
        "/jobs/", "/jobs/?status=completed", "/audit/", "/triage/", f"/detections/{detail}/", f"/sources/{source}/",
        f"/alerts/{alert}/",
    ]  # fmt: skip
    with _signed_in() as client:
        for path in paths:
            _report(path, _times(client, itertools.repeat(path)), PAGE_P95)
        _report("/detections/, page by page", _times(client, _walk(client, "/detections/")), PAGE_P95)


def _walk(client: httpx.Client, path: str) -> Iterator[str]:
    """Return the address of each next page, from the second on."""
    here = path
    while True:
        link = client.get(here).text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
        here = f"{path}{link}"
        yield here


def _clients(token: str) -> None:
    headers = {"Authorization": f"Token {token}"}
    with httpx.Client(base_url=_address(), headers=headers, timeout=60) as client:
        _report("/api/v1/detections/", _times(client, itertools.repeat("/api/v1/detections/?page_size=100")), PAGE_P95)
        since, cursors = "", [""]
        while (page := client.get("/api/v1/alerts/feed/", params={"since": since, "page_size": 1000}).json())[
            "results"
        ]:
            since = page["next_since"]
            cursors.append(since)
        for name, cursor in (("first", ""), ("middle", cursors[len(cursors) // 2]), ("last", cursors[-2])):
            path = f"/api/v1/alerts/feed/?page_size=100&since={cursor}"
            _report(f"feed, {name} page", _times(client, itertools.repeat(path)), FEED_P95)


def _times(client: httpx.Client, paths: Iterator[str]) -> list[float]:
    times = []
    for here in itertools.islice(paths, REPEATS):
        begun = time.perf_counter()
        client.get(here).raise_for_status()
        times.append(1000 * (time.perf_counter() - begun))
    return times


def _report(name: str, times: list[float], goal: float, *, of: str = "p95") -> None:
    p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    verdict = "" if (p95 if of == "p95" else p50) <= goal else "  MISSED"
    print(f"{name:45} p50 {p50:6.1f} ms   p95 {p95:6.1f} ms   ({of} goal {goal:g} ms){verdict}", flush=True)


def _keys() -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.goto(f"{_address()}/accounts/login/")
        page.fill("[name=username]", "administrator")
        page.fill("[name=password]", PASSWORD)
        page.click("main button")
        page.goto(f"{_address()}/triage/")
        page.wait_for_selector("main[data-viewer-ready='true']")
        page.evaluate(_WATCH)
        for number in range(KEYS):
            page.keyboard.press("x" if number % 2 else "v")
            page.wait_for_function("(count) => window.waits.length > count", arg=number)
            # A person looks before the next key; what comes next is fetched meanwhile.
            page.wait_for_timeout(300)
        waits: list[float] = page.evaluate("window.waits")
        _report("triage: key to next item painted", waits, KEY_P50, of="p50")
        page.wait_for_selector("main[data-unsaved='0']")
        browser.close()


if __name__ == "__main__":
    main()
