"""`manage.py config`: what is exported is what is imported, and a bad file changes nothing."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from catalog.configuration import values
from catalog.configuration.keys import DECLARED
from catalog.models import AuditLog, SystemConfig
from catalog.people import audit

pytestmark = pytest.mark.django_db
SIGMA, LEASE = "differencing.threshold_sigma", "curation.lease_minutes"


def run(*arguments: object) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("config", *map(str, arguments), stdout=out)
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.parametrize("name", ["all.toml", "all.json"])
def test_what_is_exported_is_read_again_as_it_was(tmp_path: Path, name: str):
    values.set_value(SIGMA, 6.5, audit.MACHINE)
    values.set_value("curation.blind", True, audit.MACHINE)
    values.set_value("alerts.min_human_confidence", "expert", audit.MACHINE)
    before = values.snapshot().hash
    assert run("export", tmp_path / name)[0] == 0
    assert run("diff", tmp_path / name) == (0, "Nothing would change: these values are in use already.\n")
    for key in (SIGMA, "curation.blind", "alerts.min_human_confidence"):
        values.clear_value(key, audit.MACHINE)
    code, said = run("diff", tmp_path / name)
    assert code == 1 and f"{SIGMA}: 5 → 6.5" in said and "curation.blind: no → yes" in said
    assert run("import", tmp_path / name, "--yes", "--reason", "From before.")[0] == 0
    assert values.snapshot().hash == before
    lines = AuditLog.objects.filter(reason="From before.")
    assert lines.count() == 3 and len(set(lines.values_list("group", flat=True))) == 1
    assert set(lines.values_list("user_agent", flat=True)) == {"manage.py config import"}


def test_all_keys_are_exported_on_request(capsys):
    assert len(run("export", "--all")[1].splitlines()) == len(DECLARED) + 1 - sum(
        key.is_secret for key in DECLARED.values()
    )


def test_an_import_is_all_or_nothing_and_asks(tmp_path: Path, monkeypatch):
    file = tmp_path / "a.toml"
    file.write_text(f'"{SIGMA}" = 6\n"{LEASE}" = 0\n"no.such" = 1\n')
    code, said = run("import", file, "--yes", "--reason", "x")
    assert code == 2 and f"{LEASE} must be at least 1, not 0." in said and "'no.such'" in said
    file.write_text(f'"{SIGMA}" = 6\n"{LEASE}" = 20\n')
    assert "Give a reason" in run("import", file, "--yes")[1]
    monkeypatch.setattr("sys.stdin", StringIO("no\n"))
    assert "Nothing was changed." in run("import", file, "--reason", "x")[1]
    assert run("import", "-", "--reason", "x")[0] == 2
    assert run("import", tmp_path / "none.toml", "--yes")[0] == 2
    assert not SystemConfig.objects.exists()
    monkeypatch.setattr("sys.stdin", StringIO("yes\n"))
    assert run("import", file, "--reason", "x")[0] == 0
    assert values.snapshot()[LEASE] == 20
