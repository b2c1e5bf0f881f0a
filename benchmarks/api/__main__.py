"""`make bench-api`: what millions of alerts cost those who read them, and the server.

A whole site of its own: PostgreSQL and the web server. A folder that is named is kept, and used again.
"""

from __future__ import annotations

import argparse
import os
import socket
import time
from pathlib import Path

from benchmarks.folders import kept_or_passing

ALERTS, EPOCHS = 5_000_000, 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=ALERTS)
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of the source that was seen longest")
    parser.add_argument("--root", type=Path, help="folder of the site; it is kept")
    options = parser.parse_args()
    with kept_or_passing(options.root) as root, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        os.environ |= {
            "ASTRID_DATA_ROOT": str(root),
            "PORT": str(free.getsockname()[1]),
            "DJANGO_SETTINGS_MODULE": "astrid_site.settings",
            "ASTRID_API_RATE": "1000000/min",
        }
        free.close()
        measure(options)


def measure(options: argparse.Namespace) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from astrid_site.running import database

    with database.usable(print, is_owner=True):
        _fill(options)
        call_command("db", "stop")


def _fill(options: argparse.Namespace) -> None:
    from benchmarks.api.objects import fill
    from curation.models import AlertPublication

    if not AlertPublication.objects.exists():
        begun = time.monotonic()
        fill(options.alerts, options.epochs)
        print(f"{options.alerts} alerts made in {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
