"""Whatever somebody with all rights in the database does to the audit log later, the walk names the first of it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from catalog.chain import sealing, verifying
from catalog.chain.heads import Head, HeadsRefused, read_heads
from catalog.chain.verifying import verify
from catalog.models import AuditSeal
from tests.catalog.chain.lines import meddle, write

pytestmark = pytest.mark.django_db
KEY = "00000000-0000-7000-8000-{:012x}"


@pytest.fixture(autouse=True)
def ten_sealed_lines(monkeypatch):
    # Several pages, so that faults lie at their borders too.
    monkeypatch.setattr(verifying, "_AT_ONCE", 4)
    monkeypatch.setattr(verifying, "_LINKS", verifying._LINKS.replace("LIMIT 2000", "LIMIT 4"))
    write(1, 10)
    sealing.seal()


def first_fault() -> str:
    report = verify()
    assert report.fault_count == len(report.faults) > 0
    return report.faults[0]


def head_of(position: int) -> Head:
    link = AuditSeal.objects.get(position=position)
    return Head(position, link.hash, dt.datetime(2024, 3, 9, 12, 0, tzinfo=dt.UTC))


def test_what_nobody_touched_is_sound():
    report = verify()
    assert (report.fault_count, report.links, report.position, report.waiting) == (0, 10, 10, 0)
    assert report.hash == AuditSeal.objects.get(position=10).hash


def test_an_altered_line_is_named_whatever_was_altered():
    for change in (
        "old_values = '{\"name\": \"b\"}'", "new_values = '{\"name\": 4.0}'", "change_summary = 'a → 5'",
        "\"user\" = 'eve'", "user_id = 'x'", "action = 'look'", "entity_id = '5'", "ip_address = '192.0.2.2'",
        "ip_address = NULL", "user_agent = 'x'", "reason = 'x'", "created_at = created_at + interval '1 microsecond'",
        "updated_at = now()", "\"group\" = '00000000-0000-7000-8000-000000000001'",
        "entity_type = 'surve', entity_id = 'y4'",
    ):  # fmt: skip
        with transaction.atomic():
            meddle(f"UPDATE catalog_auditlog SET {change} WHERE id = %s", KEY.format(4))
            report = verify()
            transaction.set_rollback(True)
        assert report.fault_count == 1, change
        assert f"Position 4: the line {KEY.format(4)}" in report.faults[0]
        assert "was altered after it was sealed" in report.faults[0]


@pytest.mark.parametrize("number", [1, 4, 10])
def test_a_removed_line_is_named(number: int):
    meddle("DELETE FROM catalog_auditlog WHERE id = %s", KEY.format(number))
    report = verify()
    assert report.fault_count == 1
    assert f"Position {number}: the line {KEY.format(number)}, sealed 20" in report.faults[0]
    assert "was removed" in report.faults[0]


@pytest.mark.parametrize("number", [1, 4, 5])
def test_a_line_removed_with_its_seal_is_named(number: int):
    meddle("DELETE FROM catalog_auditlog WHERE id = %s", KEY.format(number))
    meddle("DELETE FROM catalog_auditseal WHERE id = %s", KEY.format(number))
    assert first_fault() == f"Position {number} is missing: removed, or moved to where it is out of order."


def test_two_lines_whose_contents_were_swapped_are_named():
    meddle("UPDATE catalog_auditlog SET id = %s WHERE id = %s", KEY.format(99), KEY.format(3))
    meddle("UPDATE catalog_auditlog SET id = %s WHERE id = %s", KEY.format(3), KEY.format(7))
    meddle("UPDATE catalog_auditlog SET id = %s WHERE id = %s", KEY.format(7), KEY.format(99))
    report = verify()
    assert [sentence.split(" (")[0] for sentence in report.faults] == [
        f"Position 3: the line {KEY.format(3)}",
        f"Position 7: the line {KEY.format(7)}",
    ]


def test_two_lines_that_changed_places_in_the_chain_are_named():
    for position, number in ((99, 3), (3, 7), (7, 3)):
        meddle("UPDATE catalog_auditseal SET position = %s WHERE id = %s", position, KEY.format(number))
    assert f"Position 3: the line {KEY.format(7)}" in first_fault()
    assert "is as it was sealed, but its seal was moved here or altered" in first_fault()


@pytest.mark.parametrize("is_sealed", [False, True])
def test_a_line_put_in_between_is_named(is_sealed: bool):
    write(0)
    meddle("UPDATE catalog_auditlog SET created_at = '2024-03-02 02:30Z' WHERE entity_id = '0'")
    if is_sealed:
        assert sealing.seal(everything=True) == 1
    report = verify()
    assert report.fault_count == 1
    assert f"the line {KEY.format(0)}" in report.faults[0] and report.faults[0].endswith("inserted.")
    assert report.faults[0].startswith("Position 11: " if is_sealed else "the line")


def test_an_altered_seal_is_named():
    meddle("UPDATE catalog_auditseal SET hash = digest WHERE position = 6")
    assert "Position 6: " in first_fault() and "moved here or altered" in first_fault()


def test_only_a_noted_head_tells_that_the_end_was_cut_off():
    noted = head_of(9)
    meddle("DELETE FROM catalog_auditlog WHERE entity_id IN ('9', '10')")
    meddle("DELETE FROM catalog_auditseal WHERE position > 8")
    assert verify().fault_count == 0
    (sentence,) = verify([noted]).faults
    assert sentence.startswith("The chain ends at position 8, but its head was noted at 9 on 2024-03-09 12:00 UTC")


def test_only_a_noted_head_tells_that_all_was_made_anew():
    noted = [head_of(2), head_of(9)]
    meddle("UPDATE catalog_auditlog SET \"user\" = 'eve' WHERE entity_id = '4'")
    meddle("DELETE FROM catalog_auditseal WHERE position >= 1")
    sealing.seal(everything=True)
    assert verify().fault_count == 0
    assert len(verify(noted).faults) == 2
    assert verify(noted).faults[0].startswith("Position 2: the hash is not the one that was noted on 2024-03-09")


def test_a_walk_from_a_noted_head_looks_at_what_came_after_and_at_the_head_itself():
    head = head_of(6)
    meddle("UPDATE catalog_auditlog SET action = 'x' WHERE entity_id IN ('3', '8')")
    report = verify([head], head)
    assert report.links == 4 and report.fault_count == 1 and "Position 8: " in report.faults[0]
    meddle("UPDATE catalog_auditseal SET hash = digest WHERE position = 6")
    assert "Position 6: the hash is not the one that was noted" in verify([head], head).faults[0]
    meddle("DELETE FROM catalog_auditseal WHERE position = 6")
    assert "Position 6 is missing, where a head was noted" in verify([head], head).faults[0]


def test_many_faults_are_counted_and_the_first_are_told():
    write(11, 40)
    sealing.seal()
    meddle("UPDATE catalog_auditlog SET action = 'x'")
    report = verify()
    assert (report.fault_count, len(report.faults)) == (40, 20)
    assert "Position 1: " in report.faults[0]


# --- The command ---
def run(*arguments: object) -> int:
    try:
        call_command("verify_audit", *map(str, arguments))
    except CommandError as error:
        return error.returncode
    return 0


def test_the_command_says_by_its_exit_code_what_it_found(tmp_path: Path, capsys):
    heads = tmp_path / "heads"
    assert run("--heads", heads, "--note") == 2, "a disk that is not there looks like a file that is not"
    heads.touch()
    assert run("--heads", heads, "--note") == 0
    assert [head.position for head in read_heads(heads)] == [10]
    write(11)
    assert run() == 3, "it has waited since 2024"
    assert run("--heads", heads, "--only-new", "--note", "--seal") == 0
    assert [head.position for head in read_heads(heads)] == [10, 11]
    assert "1 sealed lines after position 10 were compared; 0 wait" in capsys.readouterr().out
    meddle("DELETE FROM catalog_auditlog WHERE entity_id = '2'")
    assert run("--heads", heads, "--note") == 1
    assert f"Position 2: the line {KEY.format(2)}, sealed" in capsys.readouterr().out
    assert len(read_heads(heads)) == 2, "a head of what is not sound is not noted"
    assert run("--note") == 2


@pytest.mark.parametrize("line", ["x", "2024-03-01T00:00:00Z 0 " + "0" * 64, "yesterday 3 " + "0" * 64])
def test_a_file_that_holds_something_else_is_refused(tmp_path: Path, line: str):
    (tmp_path / "heads").write_text(f"\n{line}\n")
    with pytest.raises(HeadsRefused, match="Line 2 of"):
        read_heads(tmp_path / "heads")
    assert run("--heads", tmp_path / "heads") == 2
