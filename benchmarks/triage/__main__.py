"""`make bench-triage`: what triage of a million detections costs those who sit before it, and the server.

A whole site of its own: PostgreSQL, the web server, and Chromium. A folder that is named is kept, and used again.
"""

from __future__ import annotations

import argparse
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.folders import kept_or_passing
from benchmarks.server import processor_of_server
from benchmarks.triage import people, report
from benchmarks.triage.browser import desk
from benchmarks.triage.client import Curator, detections_of

PEOPLE, KEYS, COLD, PAGES, LOOKS = 32, 100, 20, 30, 60
_PARTS = ("lists", "first", "keys", "looks", "bytes", "people")
_LISTS = (
    "status=pending&score_min=0.3&score_max=0.9",
    "status=pending&score_min=0.3&night_from=2024-01-10",
    "order=score&status=pending&score_max=0.9&night_from=2024-01-10",
    "order=score&score_max=0.9&without_label=ghost&detection_type=unknown",
)


@dataclass(frozen=True)
class Site:
    """A web server that runs: its address, and what it has cost its processor so far, in seconds."""

    address: str
    processor_s: Callable[[], float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detections", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=90, help="of many people at work")
    parser.add_argument("--only", nargs="+", choices=_PARTS, default=_PARTS)
    parser.add_argument("--web-processes", type=int, default=1, help="that answer")
    parser.add_argument("--root", type=Path, help="folder of the site; it is kept")
    options = parser.parse_args()
    with kept_or_passing(options.root) as root, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        os.environ |= {
            "ASTRID_DATA_ROOT": str(root),
            "PORT": str(free.getsockname()[1]),
            "DJANGO_SETTINGS_MODULE": "astrid_site.settings",
            "WEB_CONCURRENCY": str(options.web_processes),
        }
        free.close()
        measure(options)


def measure(options: argparse.Namespace) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from astrid_site.running import database, supervisor

    with database.usable(print, is_owner=True):
        _fill(options.detections)
        web = [service for service in supervisor.services() if service.name == "web"]
        with supervisor.running(print, web) as everything:
            everything.wait_for_pages()
            site = Site(f"http://127.0.0.1:{os.environ['PORT']}", processor_of_server)
            _warm(site)
            for part in options.only:
                _MEASURES[part](site, options)
        call_command("db", "stop")


def _fill(detections: int) -> None:
    from django.db import connection

    from benchmarks.triage.objects import fill
    from detection.models import Detection

    if not Detection.objects.exists():
        begun = time.monotonic()
        fill(detections)
        print(f"{detections} detections made in {time.monotonic() - begun:.0f} s")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _session(role: str, name: str) -> people.Who:
    """Log somebody in; return their key and that of their session."""
    from django.contrib.auth.models import Group
    from django.test import Client

    from catalog.models import User

    user, _ = User.objects.get_or_create(username=name)
    user.groups.set([Group.objects.get(name=role)])
    client = Client()
    client.force_login(user, "catalog.people.backend.Backend")
    return str(user.pk), client.cookies["sessionid"].value


def _warm(site: Site) -> None:
    """Ask for everything once: what each process of the server does once is not what people wait for."""
    curator = Curator(site.address, *_session("curator", "bench-first"))
    for path in ("/triage/", "/detections/"):
        curator.client.get(path).raise_for_status()
    curator.fetch()
    curator.look(curator.items[0])
    curator.answer()
    curator.leave()


def _lists(site: Site, _: argparse.Namespace) -> None:
    for role in ("curator", "administrator"):
        took: list[float] = []
        before = site.processor_s()
        session = _session(role, f"bench-{role}")[1]
        with httpx.Client(base_url=site.address, cookies={"sessionid": session}, timeout=60) as client:
            for query in _LISTS:
                for path in _pages_of(query):
                    begun = time.perf_counter()
                    client.get(path).raise_for_status()
                    took.append(1000 * (time.perf_counter() - begun))
        report.times(f"list of detections, three filters, {role}", took, p95=200.0)
        cost = 1000 * (site.processor_s() - before) / len(took)
        report.figure("processor time of the server for each page", cost, None, "ms")


def _pages_of(query: str) -> Iterator[str]:
    """Return addresses of pages of a list from its first to its last, at equal steps of what it holds."""
    from urllib.parse import parse_qs

    from catalog.web.keyset import page_of
    from curation.detections.filters import DetectionListFilter
    from detection.models import Detection

    asked = {name: value for name, [value] in parse_qs(query).items()}
    order = DetectionListFilter.ordering(asked)
    yield f"/detections/?{query}"
    keys = list(Detection.objects.order_by(*order).values_list("pk", flat=True))
    for place in range(0, len(keys) - 1, len(keys) // (PAGES - 1)):
        two = Detection.objects.filter(pk__in=keys[place : place + 2]).select_related("observation")
        yield f"/detections/?{query}&cursor={page_of(two, order, '', 1).next_cursor}"


def _first(site: Site, _: argparse.Namespace) -> None:
    with desk(site.address, _session("curator", "bench-browser")[1]) as browser:
        opened = [browser.open_cold() for _ in range(COLD)]
    report.times("first paint of /triage/, cold", [paint for paint, _, _ in opened], p95=500.0)
    report.times("first object of /triage/ painted, cold", [first for _, first, _ in opened], p95=500.0)
    report.figure("loaded before that, but pixels", max(count for _, _, count in opened) / 1000, 150.0, "kB")


def _keys(site: Site, _: argparse.Namespace) -> None:
    for latency in (0, 200):
        with desk(site.address, _session("curator", f"bench-browser-{latency}")[1]) as browser:
            waits, cost = browser.answer(KEYS, latency, site.processor_s)
        report.times(f"key to next object painted, {latency} ms round trip more", waits, p50=30.0, p95=80.0)
        report.figure("processor time of the server for each object", cost, 30.0, "ms")


def _looks(site: Site, _: argparse.Namespace) -> None:
    with desk(site.address, _session("curator", "bench-browser")[1]) as browser:
        for name, took in browser.look(LOOKS).items():
            report.times(f"{name}: script", took, p95=8.0)


def _bytes(site: Site, _: argparse.Namespace) -> None:
    curator = Curator(site.address, *_session("curator", "bench-bytes"))
    told = curator.fetch() / len(curator.items)
    curator.fetch()
    several = [item for item in curator.items if len(detections_of(item)) == 5]
    sizes = [curator.look(item) + told for item in several]
    report.figure(f"an object with five epochs, the largest of {len(sizes)}", max(sizes) / 1000, 120.0, "kB")
    curator.leave()


def _people(site: Site, options: argparse.Namespace) -> None:
    everybody = [_session("curator", f"bench-{number:02d}") for number in range(PEOPLE)]
    told = people.work(site.address, everybody, options.seconds)
    saves = [took for _, each in told for took in each]
    items = sum(len(given) for given, _ in told)
    report.times(f"{PEOPLE} people, an answer a second each: save", saves, p95=50.0)
    report.figure(f"items handed to two, of {items}", people.twice(told), 0.0, "")


_MEASURES: dict[str, Callable[[Site, argparse.Namespace], None]] = {
    "lists": _lists, "first": _first, "keys": _keys, "looks": _looks, "bytes": _bytes, "people": _people,
}  # fmt: skip


if __name__ == "__main__":
    main()
