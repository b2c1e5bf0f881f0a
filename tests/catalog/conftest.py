"""A job type of the tests' own, `example`, whose work each test gives."""

from __future__ import annotations

from typing import Any

import pytest

from tests import stages


@pytest.fixture
def example(settings: Any, monkeypatch: pytest.MonkeyPatch):
    """Let jobs of the type `example` be done by tests.stages; return that module."""
    settings.STAGES = "tests.stages.STAGES"
    monkeypatch.setattr(stages, "closed", [])
    return stages
