"""`python -m tests.faults.readers`: what pages and the feed of a system answer, as JSON.

publish            publish one more alert about the first detection
read [CURSOR]      status of each page, and of the feed after a cursor, with what it says
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import django

PAGES = (
    "/",
    "/observations/",
    "/detections/",
    "/alerts/",
    "/jobs/",
    "/triage/",
    "/audit/",
    "/admin/",
    "/api/v1/alerts/",
)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")
    django.setup()
    action, *rest = sys.argv[1:]
    json.dump(publish() if action == "publish" else read(*rest), sys.stdout)


def publish() -> dict[str, Any]:
    """Publish an alert, and return the feed's last number and the cursor after it."""
    from catalog.models import User
    from curation.alerts.feed import end_of_feed
    from curation.alerts.publishing import publish_pending
    from curation.models import AlertPublication
    from detection.models import Detection
    from tests.factories import AlertFactory

    AlertFactory(detection=Detection.objects.order_by("pk").first())
    publish_pending()
    reader = User.objects.filter(groups__name="administrator")[0]
    return {"sequence": AlertPublication.objects.count(), "cursor": end_of_feed(reader)}


def read(cursor: str = "") -> dict[str, Any]:
    """Return the status of each page for an administrator, and what the feed answers after the cursor."""
    from django.test import Client

    from catalog.models import User

    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.filter(groups__name="administrator")[0])
    answer = client.get("/api/v1/alerts/feed/", {"since": cursor})
    return {
        "pages": {page: client.get(page).status_code for page in PAGES},
        "feed": answer.status_code,
        "code": answer.json().get("code", ""),
        "sequences": [row["sequence"] for row in answer.json().get("results", [])],
    }


if __name__ == "__main__":
    main()
