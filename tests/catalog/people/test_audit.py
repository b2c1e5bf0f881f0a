from __future__ import annotations

import pytest

from catalog.models import AuditLog, User
from catalog.people import audit
from tests.factories import SurveyFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_row_names_entity_person_and_both_values() -> None:
    survey, user = SurveyFactory(), UserFactory(username="ada")
    row = audit.record(
        survey,
        "rename",
        actor=audit.Actor(user, "2001:db8::1", "browser\0" + "x" * 9999),
        old={"name": "a"},
        new={"name": "b"},
        summary="a → b",
    )
    row.refresh_from_db()
    assert (row.entity_type, row.entity_id) == ("survey", str(survey.pk))
    assert (row.user, row.user_id, row.ip_address) == ("ada", str(user.pk), "2001:db8::1")
    assert (row.old_values, row.new_values) == ({"name": "a"}, {"name": "b"})
    assert row.user_agent.startswith("browserx")
    assert len(row.user_agent) == 500


def test_a_row_survives_the_account_it_names() -> None:
    user = UserFactory(username="ada")
    audit.record(("night", "2024-03-01"), "process", actor=audit.Actor(user))
    User.objects.filter(pk=user.pk).delete()
    assert AuditLog.objects.get().user == "ada"


def test_a_machine_run_has_no_person() -> None:
    row = audit.record(("night", "2024-03-01"), "process")
    assert (row.user, row.user_id, row.ip_address) == ("", "", None)
