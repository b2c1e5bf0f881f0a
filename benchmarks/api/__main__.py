"""`make bench-api`: what millions of alerts cost those who read them, and the server.

A whole site of its own: PostgreSQL and the web server. A folder that is named is kept, and used again.
"""

from __future__ import annotations

import argparse
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import httpx

from benchmarks.api.reading import Site, cost_of, told
from benchmarks.folders import kept_or_passing
from benchmarks.server import processor_of_server
from tests.receivers import Receivers, receiving

ALERTS, EPOCHS = 5_000_000, 100_000
_PASSWORD = "bench-api-only-47"
# What publishes and sends, beside the web server.
_SERVICES = ("web", "light", "deliveries", "beat")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=ALERTS)
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of the source that was seen longest")
    parser.add_argument("--root", type=Path, help="folder of the site; it is kept")
    parser.add_argument("--only", nargs="+", choices=_MEASURES, default=list(_MEASURES))
    options = parser.parse_args()
    with kept_or_passing(options.root) as root, socket.socket() as free, receiving() as receivers:
        free.bind(("127.0.0.1", 0))
        os.environ |= {
            "ASTRID_DATA_ROOT": str(root),
            "PORT": str(free.getsockname()[1]),
            "DJANGO_SETTINGS_MODULE": "astrid_site.settings",
            "ASTRID_API_RATE": "1000000/min",
            "ASTRID_OUTGOING_HOSTS": receivers.host,
        }
        free.close()
        measure(options, receivers)


def measure(options: argparse.Namespace, receivers: Receivers) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from astrid_site.running import database, supervisor

    with database.usable(print, is_owner=True):
        _fill(options)
        wanted = [service for service in supervisor.services() if service.name in _SERVICES]
        with supervisor.running(print, wanted) as everything, _client() as client:
            everything.wait_for_pages()
            site = Site(client, processor_of_server, receivers)
            for part in options.only:
                _MEASURES[part](site)
        call_command("db", "stop")


def _client() -> httpx.Client:
    """Return a program with a token that may read everything."""
    from catalog.models import User
    from catalog.people.accounts import ensure_demo_accounts
    from catalog.people.audit import MACHINE
    from catalog.people.scopes import SCOPES
    from catalog.people.tokens import issue

    ensure_demo_accounts(_PASSWORD)
    _, token = issue(User.objects.get(username="administrator"), "bench", list(SCOPES), MACHINE, days=1)
    address = f"http://127.0.0.1:{os.environ['PORT']}/api/v1/"
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=120)


def _read(site: Site) -> None:
    """Pages of the feed and of the list, at the beginning and far in."""
    from curation.models import AlertPublication

    last = AlertPublication.objects.latest("sequence").sequence
    told("feed, 100 from the beginning", cost_of(site, "alerts/feed/"))
    for depth in (2 * last // 5, 4 * last // 5):
        moment = AlertPublication.objects.get(sequence=depth).published_at.isoformat()
        since = site.client.get("alerts/feed/", params={"published_from": moment}).json()["next_since"]
        told(f"feed, 100 after {depth}", cost_of(site, "alerts/feed/", since=since))
    told("feed, 1000 from the beginning", cost_of(site, "alerts/feed/", page_size=1000))
    told("feed, nothing new", cost_of(site, "alerts/feed/", start="now"))
    for size in (100, 1000):
        told(f"alerts, {size} newest", cost_of(site, "alerts/", page_size=size))
        told(f"detections, {size} newest", cost_of(site, "detections/", page_size=size))


def _serialise(_: Site) -> None:
    from benchmarks.api.serialising import rates

    ours, plain = rates()
    print(f"alerts serialised: {ours:.0f}/s; by plain serializers {plain:.0f}/s: {ours / plain:.1f} times")


def _search(_: Site) -> None:
    from benchmarks.api.sky import cone_ms, differences

    print(f"cone of 1 arcmin in the database: {cone_ms():.2f} ms")
    print(f"cones that find another number than a look at all rows: {differences()}")


def _long(site: Site) -> None:
    """The source that was measured in very many frames."""
    from benchmarks.api.objects import LONG_DEC, LONG_RA
    from detection.models import Source

    source = Source.objects.get(ra=LONG_RA, dec=LONG_DEC)
    for last in (1000, 100_000):
        told(f"light curve, {last} epochs", cost_of(site, f"sources/{source.pk}/light-curve/", 5, last=last))
    with httpx.Client(base_url=f"http://127.0.0.1:{os.environ['PORT']}", cookies=_session(), timeout=60) as person:
        told("page of the source", cost_of(replace(site, client=person), f"/sources/{source.pk}/", 10))


def _session() -> dict[str, str]:
    """Return the cookie of a person who has logged in."""
    from django.test import Client

    from catalog.models import User

    client = Client()
    client.force_login(User.objects.get(username="administrator"), "catalog.people.backend.Backend")
    return {"sessionid": client.cookies["sessionid"].value}


def _burst(site: Site) -> None:
    from benchmarks.api.bursts import burst

    print({name: round(value, 1) for name, value in burst(site.receivers).items()})


def _follow(site: Site) -> None:
    from benchmarks.api.bursts import follow

    token = site.client.headers["Authorization"].partition(" ")[2]
    since = site.client.get("alerts/feed/", params={"start": "now"}).json()["next_since"]
    print(follow(str(site.client.base_url), token, since))


_MEASURES: Mapping[str, Callable[[Site], None]] = {
    "read": _read, "serialise": _serialise, "search": _search, "long": _long, "burst": _burst, "follow": _follow,
}  # fmt: skip


def _fill(options: argparse.Namespace) -> None:
    from benchmarks.api.objects import fill
    from curation.models import AlertPublication

    if not AlertPublication.objects.exists():
        begun = time.monotonic()
        fill(options.alerts, options.epochs)
        print(f"{options.alerts} alerts made in {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
