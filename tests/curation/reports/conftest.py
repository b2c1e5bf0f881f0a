"""Stand-ins of both services, which this site is set to report to, and somebody who reports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from catalog.models import User
from curation.reports import asking
from tests.clients import account
from tests.curation.reports.reporting import configure
from tests.namers import Namers, naming


@pytest.fixture
def namers(db: None, settings, monkeypatch) -> Iterator[Namers]:
    with naming() as found:
        settings.ASTRID_OUTGOING_HOSTS = [found.host]
        settings.ASTRID_TNS_URL = f"http://{found.host}/api"
        settings.ASTRID_MPC_SUBMIT_URL = f"http://{found.host}/submit_xml"
        settings.ASTRID_MPC_STATUS_URL = f"http://{found.host}/wamo"
        monkeypatch.setattr(asking, "WAITED_SECONDS", 0.4)
        configure()
        yield found


@pytest.fixture
def reporter(db: None) -> User:
    return account("curator")
