"""Tables of the Virtual Observatory, judged by programs that we did not write."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from astropy.io import votable
from astropy.io.votable import validate
from astropy.io.votable.tree import TableElement

needs_stilts = pytest.mark.skipif(
    shutil.which("stilts") is None, reason="stilts is not installed: apt-get install stilts"
)
_ROOT = re.compile(r"<VOTABLE[^>]*>")
_NAMED = re.compile(r' (ID|ref)="(\w+)"')


def faults(content: bytes) -> str:
    """Return what astropy's validator has against a VOTable; "" for nothing."""
    told = io.StringIO()
    validate(io.BytesIO(content), told)
    report = re.sub(r"^Validation report for .*\n+", "", told.getvalue())
    return "" if "astropy.io.votable found no violations" in report else report.strip()


def lint(contents: Sequence[bytes], folder: Path) -> str:
    """Return what `stilts votlint` has against VOTables; "" for nothing.

    They are put into one document, for starting Java takes a second; the names of each are made its own.
    """
    parts = []
    for number, content in enumerate(contents):
        inside = _ROOT.split(content.decode().removesuffix("</VOTABLE>\n"))[1]
        parts.append(_NAMED.sub(rf' \1="\2_{number}"', inside))
    root = _ROOT.search(contents[0].decode())
    assert root is not None
    path = folder / "all.vot"
    path.write_text(f"{root[0]}\n{''.join(parts)}</VOTABLE>\n")
    done = subprocess.run(["stilts", "votlint", f"votable={path}"], capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


def table_of(content: bytes) -> TableElement:
    """Return the one table of a VOTable, read strictly."""
    return votable.parse(io.BytesIO(content), verify="exception").get_first_table()
