"""The audit log as a file: all of it that is asked for, exactly, and nothing that a spreadsheet would carry out."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from catalog.chain import exporting, sealing
from catalog.models import AuditLog, AuditSeal
from catalog.people import audit
from catalog.web.streamed import Streamed
from tests.browsers import onlooker, page, staff_of
from tests.catalog.chain.lines import write

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr(exporting, "_AT_ONCE", 3)


def text_of(kind: str) -> str:
    return "".join(exporting.exported(AuditLog.objects.all(), kind))


def test_json_lines_hold_every_value_and_the_place_in_the_chain():
    write(1, 7)
    sealing.seal()
    write(8)
    rows = [json.loads(line) for line in text_of("jsonl").splitlines()]
    assert [row["entity_id"] for row in rows] == [str(number) for number in range(1, 9)]
    assert rows[2] == {
        "id": "00000000-0000-7000-8000-000000000003", "created_at": "2024-03-02T00:00:00.000000+00:00",
        "updated_at": "2024-03-02T00:00:00.000000+00:00", "entity_type": "survey", "entity_id": "3",
        "action": "rename", "user": "ada", "user_id": "", "old_values": {"name": "a"}, "new_values": {"name": 3},
        "change_summary": "a → 3", "reason": "", "group": None, "ip_address": "192.0.2.1", "user_agent": "",
        "position": 3, "digest": AuditSeal.objects.get(position=3).digest,
        "hash": AuditSeal.objects.get(position=3).hash,
    }  # fmt: skip
    assert rows[7]["position"] is None


def test_a_cell_is_no_formula():
    audit.record(("night", "=1+1"), "look", new={"a": "ä"}, summary='=HYPERLINK("http://example.org")')
    names, cells = csv.reader(io.StringIO(text_of("csv")))
    row = dict(zip(names, cells, strict=True))
    assert row["entity_id"] == "'=1+1"
    assert row["change_summary"] == '\'=HYPERLINK("http://example.org")'
    assert row["new_values"] == '{"a": "ä"}' and row["position"] == ""


def test_the_page_saves_what_its_filters_leave():
    write(1, 5)
    ada = staff_of("administrator")
    shown = ada.get(page("catalog.auditlog"), {"action__exact": "rename", "q": "4"}).content.decode()
    assert "/admin/catalog/auditlog/export.csv?action__exact=rename&amp;q=4" in shown
    answer = ada.get("/admin/catalog/auditlog/export.csv?action__exact=rename&q=4")
    assert answer.streaming and answer["Content-Disposition"] == 'attachment; filename="audit-log.csv"'
    lines = list(csv.reader(io.StringIO(answer.getvalue().decode())))
    assert [line[4] for line in lines] == ["entity_id", "4"]
    assert len(ada.get("/admin/catalog/auditlog/export.jsonl").getvalue().splitlines()) == 5
    assert ada.get("/admin/catalog/auditlog/export.csv?action__nonsense=1").status_code == 302


def test_who_may_not_read_the_audit_log_may_not_save_it():
    for role in ("operator", "expert"):
        assert onlooker(role).get("/admin/catalog/auditlog/export.csv").status_code == 403


def test_a_server_asks_for_the_next_part_when_it_has_sent_the_last():
    made: list[int] = []

    def parts():
        for number in range(3):
            made.append(number)
            yield str(number)

    async def sent() -> list[tuple[bytes, int]]:
        return [(part, len(made)) async for part in Streamed(parts(), content_type="text/csv")]

    assert asyncio.run(sent()) == [(b"0", 1), (b"1", 2), (b"2", 3)]


def test_the_command_writes_what_is_asked_for_or_nothing(tmp_path: Path):
    write(1, 5)
    target = tmp_path / "audit.jsonl"
    call_command("export_audit", str(target), "--since", "2024-03-02T00:00", "--until", "2024-03-02T02:00")
    assert [json.loads(line)["entity_id"] for line in target.read_text().splitlines()] == ["3", "4"]
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_audit", tmp_path / "nowhere" / "audit.csv", format="csv")
    with pytest.raises(CommandError, match="is no time such as"):
        call_command("export_audit", str(target), "--since", "yesterday")
