"""What changes something leaves a line in the AuditLog: each address that does is listed with its lines or a reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client

from catalog.models import AuditLog
from catalog.people.audit import Actor
from curation.saved_filters.saved import delete_filter, save_filter
from tests.browsers import client_of
from tests.factories import UserFactory
from tests.routes import ROUTES

REPOSITORY = Path(__file__).resolve().parents[2]
SIGN_OF_LIFE = "a sign of life: who looks at what, which lapses by itself"
JUDGED = ("validation_{", "validation_reopened")
# The lines that an address leaves; a sentence for one that keeps nothing of what anybody decided.
LINES: dict[str, tuple[str, ...] | str] = {
    "login": ("log_in", "fail_log_in", "lock_log_in"),
    "logout": ("log_out",),
    "second_step": ("log_in", "fail_log_in", "lock_log_in", "add_second_factor"),
    "theme": "the looks of one browser, in its cookie",
    "catalog:retry_job": ("retry_job",),
    "catalog:cancel_job": ("cancel_job",),
    "catalog:change_password": ("change_password",),
    "catalog:make_token": ("issue_token",),
    "catalog:revoke_token": ("revoke_token",),
    "catalog:end_other_sessions": ("end_sessions",),
    "catalog:end_own_session": ("end_session",),
    "catalog:begin_app": "it shows a secret, which is taken when a code of it was given",
    "catalog:set_up_app": ("add_second_factor",),
    "catalog:begin_key": "it shows what a key is asked, which is taken when it has answered",
    "catalog:set_up_key": ("add_second_factor",),
    "catalog:remove_own_factor": ("remove_second_factor",),
    "catalog:renew_codes": ("renew_recovery_codes",),
    "catalog:invite": ("invite",),
    "catalog:invite_again": ("invite_again",),
    "catalog:revoke_invitation": ("revoke_link",),
    "catalog:end_session": ("end_session",),
    "catalog:revoke_their_token": ("revoke_token",),
    "catalog:make_reset": ("make_password_reset",),
    "catalog:remove_factor": ("remove_second_factor",),
    "catalog:end_sessions": ("end_sessions",),
    "catalog:accept_invitation": ("accept_invitation",),
    "catalog:reset_password": ("change_password", "end_sessions"),
    "catalog:ask_reset": ("ask_password_reset",),
    "observations:upload": ("submit_file",),
    "observations:inspect": "it reads a file, and keeps nothing",
    "observations:settle_doubt": ("settle_doubt",),
    "observations:reprocess": ("reprocess_observation",),
    "observations:archive": ("archive_observation",),
    "observations:take_back": ("take_back_observation",),
    "detection:promote": ("promoted",),
    "detection:change_model": ("begin_shadow", "end_shadow", "roll_back_model", "deactivate_model"),
    "detection:activate_model": ("activate_model",),
    "detection:order_training": ("order_training",),
    "curation:triage_plain": JUDGED,
    "curation:triage_next": SIGN_OF_LIFE,
    "curation:triage_answers": JUDGED,
    "curation:triage_said": "it tells what people said",
    "curation:triage_presence": SIGN_OF_LIFE,
    "curation:triage_release": SIGN_OF_LIFE,
    "curation:triage_deferrals": ("deferred", "deferral_taken_back"),
    "curation:triage_reject_frame": ("reject_frame",),
    "curation:triage_take_back_frame": ("take_back_frame",),
    "curation:write_note": ("note_written",),
    "curation:withdraw_note": ("note_withdrawn",),
    "curation:mentions_seen": "that somebody has read what was written to them",
    "curation:save_filter": ("save_filter",),
    "curation:delete_filter": ("delete_filter",),
    "curation:batch": "it shows what would be answered",
    "curation:batch_answer": JUDGED,
    "curation:batch_undo": JUDGED,
    "curation:confirm_known": JUDGED,
    "curation:undo_known": JUDGED,
    "curation:order_retraining": ("order_training",),
    "curation:new_subscription": ("create_subscription",),
    "curation:edit_subscription": ("change_subscription",),
    "curation:rotate_secret": ("rotate_secret",),
    "curation:test_subscription": "it sends a test, which is no delivery, and keeps nothing",
    "curation:pause_subscription": ("pause_subscription",),
    "curation:resume_subscription": ("resume_subscription",),
    "curation:end_subscription": ("end_subscription",),
    "curation:replay_deliveries": ("replay_delivery",),
    "curation:mark_gold": ("mark_known", "end_known"),
    "curation:example": ("choose_example", "end_example"),
    "curation:choose_threshold": ("set_configuration", "order_recalibration"),
    "curation:recalibrate": ("order_recalibration",),
    "observations:new_archive": ("add_archive",),
    "observations:edit_archive": ("change_archive",),
    "observations:order_archive": ("ask_archive", "switch_archive_on", "switch_archive_off"),
    "observations:try_product_again": ("fetch_again",),
    "api:archives-run": ("ask_archive",),
    "curation:new_report": ("prepare_report", "release_report"),
    "curation:release_report": ("release_report", "send_report", "refuse_report", "answer_report"),
    "curation:withdraw_report": ("withdraw_report",),
    "curation:ask_about_report": ("ask_about_report",),
    "api:reports-list": ("prepare_report",),
    "api:reports-send": ("release_report",),
    "api:reports-withdraw": ("withdraw_report",),
    "api:alerts-acknowledge": ("acknowledge_alert",),
    "api:processing-jobs-retry": ("retry_job",),
    "api:processing-jobs-cancel": ("cancel_job",),
    "api:doubts-settle": ("settle_doubt",),
    "api:doubts-reopen": ("reopen_doubt",),
    "api:observations-list": ("submit_file",),
    "api:validation-events-list": JUDGED,
}
APPS = ("catalog", "observations", "preprocessing", "differencing", "detection", "curation", "astrid_site")


def test_every_address_that_changes_something_is_listed_with_its_lines():
    unsafe = {name for name, routes in ROUTES.items() if any(route.method != "get" for route in routes)}
    assert sorted(unsafe - LINES.keys()) == []
    assert sorted(LINES.keys() - ROUTES.keys()) == []


def test_every_line_that_is_listed_is_one_that_the_program_writes():
    program = "\n".join(
        path.read_text() for app in APPS for path in (REPOSITORY / app).rglob("*.py") if "migrations" not in path.parts
    )
    actions = {action for lines in LINES.values() if isinstance(lines, tuple) for action in lines}
    assert [action for action in sorted(actions) if not re.search(f'f?"{re.escape(action)}', program)] == []


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/accounts/logout/", "/admin/logout/"])
def test_a_log_out_leaves_its_line_and_a_strangers_leaves_none(address: str):
    client = client_of("administrator", username="ada")
    client.get(address)
    Client().post(address)
    assert not AuditLog.objects.exists()
    client.post(address)
    line = AuditLog.objects.get()
    assert (line.action, line.user, line.ip_address) == ("log_out", "ada", "192.0.2.7")


@pytest.mark.django_db
def test_a_filter_leaves_its_line_when_it_changes_and_when_it_goes():
    ada = UserFactory(username="ada")
    for query in ("q=1", "q=1", "q=2"):
        row = save_filter(ada, "mine", query, is_shared=True, is_default=False)
    delete_filter(row, Actor(ada))
    lines = AuditLog.objects.order_by("id").values_list("action", "old_values__query", "new_values__query", "user")
    assert list(lines) == [
        ("save_filter", None, "q=1", "ada"),
        ("save_filter", "q=1", "q=2", "ada"),
        ("delete_filter", "q=2", None, "ada"),
    ]
