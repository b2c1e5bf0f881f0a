"""One sealer chains all lines, in the order in which it finds them, and finds each once."""

from __future__ import annotations

import hashlib
from threading import Thread

import pytest
from django.db import DatabaseError, connection, transaction

from catalog.chain import sealing
from catalog.chain.content import BEGINNING, digest_of, link_of
from catalog.models import AuditSeal
from catalog.people import audit
from tests.catalog.chain.lines import chained, write


@pytest.mark.django_db
def test_lines_that_were_there_before_are_sealed_by_their_times_in_pages(monkeypatch):
    monkeypatch.setattr(sealing, "_AT_ONCE", 3)
    monkeypatch.setattr(sealing, "_UNSEALED", sealing._UNSEALED.replace("LIMIT 2000", "LIMIT 3"))
    write(5, 8)
    write(1, 4)
    assert sealing.seal(seconds=0) == 3, "a turn ends after its time"
    assert sealing.seal() == 5
    assert chained() == [str(number) for number in range(1, 9)]
    assert sealing.seal() == 0
    assert list(AuditSeal.objects.order_by("position").values_list("position", flat=True)) == list(range(1, 9))


@pytest.mark.django_db
def test_the_hashes_follow_from_each_other_by_the_written_recipe():
    audit.record(("night", "2024-03-01"), "look", summary="ä")
    audit.record(("night", "2024-03-02"), "look")
    sealing.seal()
    first, second = AuditSeal.objects.order_by("position")
    at = [round(seal.created_at.timestamp() * 1e6) for seal in (first, second)]
    assert first.hash == link_of(BEGINNING, 1, at[0], first.digest)
    assert second.hash == link_of(first.hash, 2, at[1], second.digest)
    assert digest_of(["ä", None]) == hashlib.sha256(b'["\\u00e4",null]').hexdigest()


@pytest.mark.django_db
def test_a_line_that_becomes_visible_late_comes_at_the_end():
    write(1, 3)
    write(5, 6)
    sealing.seal()
    write(4)
    assert sealing.seal() == 0, "lines of long ago are looked for now and then only"
    assert sealing.seal(everything=True) == 1
    assert chained() == ["1", "2", "3", "5", "6", "4"]


@pytest.mark.django_db
def test_what_is_only_ever_added_is_neither_changed_nor_emptied():
    write(1)
    sealing.seal()
    tables = ("catalog_auditlog", "catalog_auditseal", "curation_validationevent", "curation_alertpublication")
    changes = [f"{what} {table}" for table in tables[:2] for what in ("UPDATE", "DELETE FROM")]
    for statement in [*changes, *(f"TRUNCATE {table} CASCADE" for table in tables)]:
        if statement.startswith("UPDATE"):
            statement += " SET updated_at = now()"
        with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_while_another_seals_nothing_is_done_and_nobody_who_writes_waits():
    def elsewhere(work, found: list) -> None:
        def do() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            found.append(work())
            connection.close()

        thread = Thread(target=do)
        thread.start()
        thread.join()

    write(1, 5)
    found: list = []
    with transaction.atomic():
        assert sealing.seal() == 5
        elsewhere(sealing.seal, found)
        elsewhere(lambda: audit.record(("night", "2024-03-01"), "look").action, found)
    assert found == [0, "look"]
    assert sealing.seal() == 1
