"""`manage.py process` in this process, on the tests' database."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from astrid_site.running import database


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    output: str
    progress: str

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.output, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


@pytest.fixture(scope="module")
def process():
    """Return a function that runs the command on the tests' database."""

    def run(*arguments: object) -> Ended:
        output, progress = io.StringIO(), io.StringIO()
        status = 0
        try:
            call_command("process", *map(str, arguments), stdout=output, stderr=progress)
        except CommandError as error:
            status, message = error.returncode, str(error)
            progress.write(message)
        except SystemExit as end:
            status = int(end.code or 0)
        return Ended(status, output.getvalue(), progress.getvalue())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "usable", lambda report, **_: contextlib.nullcontext())
        yield run


@pytest.fixture
def inbox(tmp_path_factory):
    """Return a folder to deliver frames in, beside the data root."""
    return tmp_path_factory.mktemp("inbox")
