"""Guessing passwords gets nobody in, shuts nobody out who belongs here, and is written down."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import AuditLog, User
from catalog.people import locks
from tests.browsers import page, said, staff_of
from tests.clients import account

pytestmark = pytest.mark.django_db
LOG_IN = "/accounts/login/"
PASSWORD = "correct-horse-47"
STRANGER, HOME = "198.51.100.9", "203.0.113.4"


@pytest.fixture
def vera() -> User:
    user = account("viewer")
    user.username = "vera"
    user.set_password(PASSWORD)
    user.save()
    return user


def log_in(name: str = "vera", password: str = "wrong", address: str = STRANGER, **more: Any) -> int:
    data = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address, **more).post(LOG_IN, data).status_code


def lines(*fields: str) -> list[Any]:
    return list(AuditLog.objects.order_by("id").values_list(*fields))


def guess_from_everywhere(name: str, count: int) -> None:
    """Let as many machines as it takes guess wrongly, each as often as it may."""
    each = 5
    AccessAttempt.objects.bulk_create(
        AccessAttempt(username=name, ip_address=f"192.0.2.{n}", user_agent="", failures_since_start=each)
        for n in range(count // each)
    )


def test_the_fifth_wrong_password_shuts_a_name_to_an_address_and_no_other(vera: User):
    assert [log_in() for _ in range(6)] == [200, 200, 200, 200, 429, 429]
    assert log_in(password=PASSWORD) == 429
    assert log_in(password=PASSWORD, headers={"user-agent": "another"}) == 429
    assert log_in(password=PASSWORD, address=HOME) == 302
    assert log_in("somebody", address=STRANGER) == 200


def test_a_lock_ends_a_quarter_of_an_hour_after_the_last_wrong_password_that_counted(vera: User):
    for _ in range(9):
        log_in()
    assert AccessAttempt.objects.get().failures_since_start == 5, "none counts while it is shut"
    AccessAttempt.objects.update(attempt_time=timezone.now() - dt.timedelta(minutes=15, seconds=1))
    assert log_in(password=PASSWORD) == 302


def test_guessing_from_many_machines_shuts_the_name_to_all_but_where_its_owner_logs_in(vera: User):
    assert log_in(password=PASSWORD, address=HOME) == 302
    guess_from_everywhere("vera", locks.SHUT_NAME_AFTER)
    assert log_in(password=PASSWORD) == 429
    assert log_in(password=PASSWORD, address=HOME) == 302
    assert log_in("somebody") == 200, "other names are not concerned"


def test_one_machine_alone_cannot_shut_a_name_to_others(vera: User):
    for _ in range(locks.SHUT_NAME_AFTER):
        log_in()
    assert log_in(password=PASSWORD, address=HOME) == 302


def test_one_password_tried_on_many_names_shuts_the_address(vera: User):
    each = 4
    AccessAttempt.objects.bulk_create(
        AccessAttempt(username=f"name{n}", ip_address=STRANGER, user_agent="", failures_since_start=each)
        for n in range(locks.SHUT_ADDRESS_AFTER // each)
    )
    assert log_in(password=PASSWORD) == 429
    assert log_in(password=PASSWORD, address=HOME) == 302


def test_a_log_in_of_its_owner_elsewhere_gives_those_who_guess_no_new_tries(vera: User):
    guess_from_everywhere("vera", locks.SHUT_NAME_AFTER - 1)
    assert log_in(password=PASSWORD, address=HOME) == 302
    assert [log_in(), log_in(), log_in(), log_in(), log_in(), log_in(address="198.51.100.10")][-1] == 429


def test_log_ins_failures_and_locks_are_lines_with_the_address(vera: User):
    for _ in range(5):
        log_in()
    log_in(password=PASSWORD, address=HOME)
    assert lines("action", "change_summary", "ip_address", "entity_id") == [
        *[("fail_log_in", "vera", STRANGER, str(vera.pk))] * 5,
        ("lock_log_in", "vera: this name from this address", STRANGER, str(vera.pk)),
        ("log_in", "vera", HOME, str(vera.pk)),
    ]
    assert AuditLog.objects.get(action="log_in").user == "vera"


def test_what_was_typed_for_a_name_that_no_account_has_is_not_kept_in_the_audit_log(db: None):
    log_in(name=PASSWORD, password="")
    assert lines("action") == [], "a form that is not filled in is no try"
    log_in(name=PASSWORD)
    assert lines("action", "change_summary") == [("fail_log_in", "a name that no account has")]
    assert PASSWORD not in str(list(AuditLog.objects.values()))
    administrator = staff_of("administrator")
    assert administrator.get(page("catalog.auditlog")).status_code == 200
    assert administrator.get("/audit/").status_code == 200


def test_an_administrator_sees_a_lock_and_lifts_it(vera: User):
    for _ in range(5):
        log_in()
    log_in("somebody")
    administrator = staff_of("administrator", username="ada")
    text = administrator.get(page("axes.accessattempt")).content.decode()
    assert "this name from this address" in text and STRANGER in text
    row = AccessAttempt.objects.get(username="vera")
    assert administrator.get(page("axes.accessattempt", "change", row.pk)).status_code == 200
    answer = administrator.post(page("axes.accessattempt"), {"action": "lift", "_selected_action": [row.pk]})
    assert said(answer) == ["Unlocked: vera."]
    assert log_in(password=PASSWORD) == 302
    line = AuditLog.objects.get(action="lift_lock")
    assert (line.user, line.entity_id, line.old_values["address"]) == ("ada", str(vera.pk), STRANGER)


@pytest.mark.parametrize("words", ["vera", STRANGER, "0192f0c1-2345-7abc-8def-0123456789ab", "198.51"])
def test_failed_log_ins_are_searched_by_name_and_address(vera: User, words: str):
    log_in()
    answer = staff_of("administrator").get(page("axes.accessattempt"), {"q": words})
    assert len(answer.context["cl"].result_list) == (0 if words.startswith("0192") else 1)


def test_an_operator_neither_sees_nor_lifts_locks(vera: User):
    log_in()
    operator = staff_of("operator")
    data = {"action": "lift", "_selected_action": [AccessAttempt.objects.get().pk]}
    assert operator.get(page("axes.accessattempt")).status_code == 403
    assert operator.post(page("axes.accessattempt"), data).status_code == 403
    assert AccessAttempt.objects.exists()


def test_the_list_of_locks_asks_the_database_as_often_for_many_as_for_one(vera: User):
    administrator = staff_of("administrator")

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            administrator.get(page("axes.accessattempt"))
        return len(queries)

    log_in()
    one = count()
    guess_from_everywhere("vera", 40)
    assert count() == one
