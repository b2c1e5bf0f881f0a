"""Receivers on this machine that the door lets through, and somebody who subscribes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from catalog.models import User
from tests.clients import account
from tests.receivers import Receivers, receiving


@pytest.fixture(autouse=True)
def nowhere(settings) -> None:
    """Let subscriptions lead to this machine, where nobody listens."""
    settings.ASTRID_OUTGOING_HOSTS = ["127.0.0.1:9"]


@pytest.fixture
def receivers(nowhere, settings) -> Iterator[Receivers]:
    with receiving() as found:
        settings.ASTRID_OUTGOING_HOSTS = [found.host]
        yield found


@pytest.fixture
def owner(db: None) -> User:
    return account("curator")
