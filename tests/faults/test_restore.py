"""Backed up, wiped and restored by the documented commands, a system has the same rows and files, and goes on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.products import hashes
from tests.faults.system import REPOSITORY, System, assert_same, system

pytestmark = pytest.mark.faults

TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname"


def counts(whole: System) -> dict[str, int]:
    return {name: whole.query(f'SELECT count(*) FROM "{name}"')[0][0] for (name,) in whole.query(TABLES)}


def asked(whole: System, *arguments: str) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.faults.readers", *arguments],
        cwd=REPOSITORY, env=whole.environment, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def wipe(whole: System) -> None:
    """Lose everything: processes are killed, the database and the data root are gone."""
    whole.close()
    shutil.rmtree(whole.root)
    whole.root.mkdir()


def nights_of(delivered: Path, folder: Path) -> tuple[Path, Path]:
    """Return what belongs to the first night and what came later, in folders of their own."""
    for path in delivered.rglob("*.fits*"):
        part = folder / ("later" if "night2" in path.name else "first")
        part.mkdir(exist_ok=True)
        shutil.copy2(path, part / path.name)
    return folder / "first", folder / "later"


def test_a_wiped_system_is_restored_with_every_row_and_file_and_goes_on_to_the_same_end(
    delivered_nights, first_start, tmp_path
):
    first, later = nights_of(delivered_nights, tmp_path)
    amid, quiet = tmp_path / "backups" / "amid", tmp_path / "backups" / "quiet"
    amid.parent.mkdir()
    with system(first_start.cluster) as whole:
        whole.manage("ingest", str(first))
        whole.start_all()
        # While frames are processed.
        whole.manage("backup", str(amid))
        whole.wait_until_idle()
        whole.manage("ingest", str(later))
        whole.wait_until_idle()
        # The second night finds other references than where both are delivered at once.
        expected = whole.fingerprint()
        assert expected["detections"]
        assert_same(expected, expected)
        for name in list(whole.processes):
            whole.kill(name)
        whole.manage("shell", "-c", "from catalog.people.accounts import ensure_demo_accounts as e; e('open-sesame-1')")
        at_backup = asked(whole, "publish")
        whole.manage("verify_audit", "--seal")
        # The line that tells of the backup is written after it, and is not in it.
        rows = counts(whole)
        whole.manage("backup", str(quiet))
        assert any((quiet / "files" / path.relative_to(amid / "files")).samefile(path)
                   for path in (amid / "files" / "raw").rglob("*.fits*"))  # fmt: skip
        files = hashes(whole.root)
        ahead = asked(whole, "publish")

        wipe(whole)
        restored = whole.manage("restore", str(quiet))
        assert "all counts and hashes are the backup's" in restored.stdout
        whole.manage("db", "start")
        now = counts(whole)
        # The restore itself is in the audit log.
        assert now.pop("catalog_auditlog") == rows.pop("catalog_auditlog") + 1
        assert now == rows
        assert hashes(whole.root) == files
        assert_same(whole.fingerprint(), expected)
        answer = asked(whole, "read", at_backup["cursor"])
        assert set(answer["pages"].values()) == {200}, answer
        assert (answer["feed"], answer["sequences"]) == (200, [])
        told = asked(whole, "read", ahead["cursor"])
        assert (told["feed"], told["code"]) == (409, "other_numbering")
        assert whole.manage("restore", str(quiet), check=False).returncode == 1

        wipe(whole)
        whole.manage("restore", str(amid))
        whole.manage("db", "start")
        whole.start_all()
        whole.wait_until_idle()
        whole.manage("ingest", str(later))
        whole.wait_until_idle()
        assert_same(whole.fingerprint(), expected)
