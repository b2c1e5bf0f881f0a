"""Pages of the configuration: nothing is stored before it was shown, and a science key not without a reason."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from catalog.configuration import values
from catalog.models import AuditLog, SystemConfig
from catalog.people import audit
from tests.browsers import onlooker, page, said, staff_of

pytestmark = pytest.mark.django_db
SIGMA, OWNER, LEASE = "differencing.threshold_sigma", "curation.required_answers", "curation.lease_minutes"
LIST, TOGETHER, IMPORT = (f"/admin/catalog/systemconfig/{name}" for name in ("", "together/", "import/"))
PREVIEW = {"catalog_systemconfig_foresee": "1"}


@pytest.fixture
def ada() -> Client:
    return staff_of("administrator", username="ada")


def reasons() -> list[tuple[str, str]]:
    return list(AuditLog.objects.order_by("id").values_list("change_summary", "reason"))


# --- One key ---
def test_a_key_that_changes_science_is_not_changed_without_a_reason(ada: Client):
    url = page("catalog.systemconfig", "change", SIGMA)
    answer = ada.post(url, {"new_value": "6", "seen": "", "reason": "  "})
    assert "Give a reason: this changes what becomes science." in answer.content.decode()
    assert not SystemConfig.objects.exists()
    assert ada.post(url, {"new_value": "6", "seen": "", "reason": "Noisy nights."}).status_code == 302
    ada.post(page("catalog.systemconfig", "change", LEASE), {"new_value": "20", "seen": ""})
    assert reasons() == [(f"{SIGMA}: 5.0 → 6.0", "Noisy nights."), (f"{LEASE}: 15 → 20", "")]


def test_a_preview_stores_nothing_and_keeps_what_was_written(ada: Client):
    url = page("catalog.systemconfig", "change", SIGMA)
    answer = ada.post(url, {"new_value": "6", "seen": "", "reason": "Noisy.", **PREVIEW})
    text = answer.content.decode()
    assert 'id="foreseen-title"' in text and 'value="6"' in text and "Noisy.</textarea>" in text
    assert "What this\n          would have meant in the past cannot be counted" in text
    assert not SystemConfig.objects.exists()


def test_the_history_tells_why_and_leads_back(ada: Client):
    for value, reason in ((6, "Noisy."), (8, "Noisier.")):
        values.set_value(SIGMA, value, audit.Actor(reason=reason))
    text = ada.get(page("catalog.systemconfig", "change", SIGMA)).content.decode()
    assert "Reason: Noisier." in text and text.count("Back to this value") == 1
    way = re.search(r'href="([^"]*)">Back to this value', text)
    form = ada.get(unescape(way[1])).context["form"]
    assert form[f"value:{SIGMA}"].value() == "6.0"
    assert form["reason"].value().startswith("Back to 6 of ") and form["reason"].value().endswith(": Noisy.")


# --- Several keys as one ---
def together(client: Client, **given: str):
    asked = {f"value:{name.replace('__', '.')}": value for name, value in given.items() if "__" in name}
    rest = {name: value for name, value in given.items() if "__" not in name}
    keys = "&".join(f"key={name.removeprefix('value:')}" for name in asked)
    return client.post(f"{TOGETHER}?{keys}", {**asked, **rest})


BOTH = {"differencing__threshold_sigma": "6", "curation__required_answers": "2", "reason": "A new camera."}


def test_several_keys_are_shown_then_stored_as_one_change(ada: Client):
    shown = together(ada, **BOTH, preview="1")
    assert [change.key.name for change in shown.context["preview"].plan.changes] == [SIGMA, OWNER]
    assert not SystemConfig.objects.exists()
    state = shown.context["preview"].plan.state
    assert together(ada, **BOTH, save="1", state=state).status_code == 302
    snapshot = values.snapshot()
    assert (snapshot[SIGMA], snapshot[OWNER]) == (6.0, 2)
    first, second = AuditLog.objects.all()
    assert first.group == second.group is not None
    assert {first.reason, second.reason} == {"A new camera."}
    history = ada.get(page("catalog.systemconfig", "change", SIGMA)).content.decode()
    assert f"group={first.group}" in history


def test_what_was_not_shown_is_not_stored(ada: Client):
    state = together(ada, **BOTH, preview="1").context["preview"].plan.state
    other = {**BOTH, "curation__required_answers": "3"}
    assert "This is not the change that was shown" in together(ada, **other, save="1", state=state).content.decode()
    values.set_value(SIGMA, 5.5, audit.MACHINE)
    assert "This is not the change that was shown" in together(ada, **BOTH, save="1", state=state).content.decode()
    assert values.snapshot()[OWNER] == 1


def test_of_several_keys_one_that_is_refused_keeps_all_as_they_are(ada: Client):
    answer = together(ada, differencing__threshold_sigma="6", curation__required_answers="0", reason="x", save="1")
    assert f"{OWNER} must be at least 1, not 0." in answer.content.decode()
    answer = together(
        ada,
        differencing__reference_min_stack="30",
        differencing__reference_max_stack="20",
        reason="x",
        save="1",
    )
    assert "differencing.reference_min_stack (30) must not be above" in answer.content.decode()
    assert not SystemConfig.objects.exists()
    assert ada.get(TOGETHER).url == LIST


# --- As a file ---
def test_a_file_is_exported_shown_and_imported(ada: Client):
    values.set_value(SIGMA, 6, audit.MACHINE)
    values.set_value("detection.threshold_by", "missed_rate", audit.MACHINE)
    toml = ada.get(f"{LIST}export.toml").content.decode()
    assert toml.endswith(f'"{SIGMA}" = 6.0\n"detection.threshold_by" = "missed_rate"\n')
    assert len(ada.get(f"{LIST}export.json?all=1").json()) > 80
    for key in (SIGMA, "detection.threshold_by"):
        values.clear_value(key, audit.MACHINE)
    shown = ada.post(IMPORT, {"file": SimpleUploadedFile("a.toml", toml.encode()), "preview": "1"})
    assert len(shown.context["preview"].plan.changes) == 2 and values.snapshot()[SIGMA] == 5.0
    state = shown.context["preview"].plan.state
    sent = {"text": shown.context["text"], "state": state, "save": "1"}
    assert "Give a reason" in ada.post(IMPORT, sent).content.decode()
    answer = ada.post(IMPORT, {**sent, "reason": "From the other dome."})
    assert said(answer) == [f"2 changed: {SIGMA}, detection.threshold_by."]
    assert values.snapshot()[SIGMA] == 6.0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The file names no key."),
        ("x", "This is neither TOML nor JSON"),
        ("{" * 100_000, "This is neither TOML nor JSON"),
        ('"no.such" = 1', "There is no configuration key &#x27;no.such&#x27;."),
        (f"{SIGMA} = 1\n[curation]\nlease_minutes = 0.5", f"{SIGMA} must be at least 3, not 1."),
        (f"{SIGMA} = 1\n[curation]\nlease_minutes = 0.5", f"{LEASE} must be a whole number, not 0.5."),
        (json.dumps({SIGMA: [1]}), f"{SIGMA} must be a number, not [1]."),
        (json.dumps({SIGMA: None, "a": {}}), "Nothing would change"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_every_reason(ada: Client, text: str, sentence: str):
    assert sentence in ada.post(IMPORT, {"text": text, "preview": "1"}).content.decode()
    assert not SystemConfig.objects.exists()


def test_who_may_not_configure_may_not_by_these_pages_either():
    for role in ("operator", "expert"):
        client = onlooker(role)
        for url in (f"{TOGETHER}?key={SIGMA}", IMPORT, f"{LIST}export.toml"):
            assert client.get(url).status_code == 403
        assert client.post(IMPORT, {"text": f"{SIGMA} = 6", "reason": "x", "save": "1"}).status_code == 403
    assert not SystemConfig.objects.exists()
