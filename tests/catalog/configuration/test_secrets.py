"""A secret is written and never read back: not by pages, clients, files, the audit log, nor in what is said."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from django.core.management import call_command
from django.test import Client

from catalog.chain.exporting import exported
from catalog.configuration import files, values
from catalog.configuration.changes import ChangeRefused, change, plan
from catalog.configuration.key import ConfigKey, ConfigRefused
from catalog.configuration.preview import preview
from catalog.models import AuditLog, SystemConfig
from catalog.people import audit
from tests.browsers import page, staff_of
from tests.clients import client_of

pytestmark = pytest.mark.django_db
KEY = ConfigKey("alerts.test_token", "", "A token of a test.", is_science=False, is_secret=True)
SECRET, OTHER = 's3cret-"horse"', "another-s3cret"


@pytest.fixture(autouse=True)
def declared(monkeypatch) -> None:
    every = MappingProxyType({**values.DECLARED, KEY.name: KEY})
    for module in (
        "keys", "values", "changes", "files", "api",
    ):  # fmt: skip
        monkeypatch.setattr(f"catalog.configuration.{module}.DECLARED", every)
    for module in ("admin.configuration", "admin.configuration_changes", "templatetags.configuration"):
        monkeypatch.setattr(f"catalog.{module}.DECLARED", every)


@pytest.fixture
def ada() -> Client:
    return staff_of("administrator", username="ada")


def test_its_own_page_writes_it_and_nothing_shows_it(ada: Client, tmp_path):
    url = page("catalog.systemconfig", "change", KEY.name)
    ada.post(url, {"new_value": SECRET, "seen": ""})
    assert values.snapshot()[KEY.name] == SECRET
    seen = ada.get(url).context["adminform"].form["seen"].initial
    ada.post(url, {"new_value": "", "seen": seen})
    assert values.snapshot()[KEY.name] == SECRET, "an empty field keeps it"
    change({KEY.name: OTHER}, "", audit.MACHINE)
    change({KEY.name: SECRET}, "", audit.MACHINE)
    call_command("export_audit", str(tmp_path / "audit.jsonl"))
    client = client_of("administrator")
    texts = [
        ada.get(url).content.decode(),
        ada.get(page("catalog.systemconfig")).content.decode(),
        ada.get("/admin/").content.decode(),
        ada.get(f"/admin/catalog/systemconfig/together/?key={KEY.name}").content.decode(),
        ada.post(url, {"new_value": OTHER, "catalog_systemconfig_foresee": "1", "seen": "x"}).content.decode(),
        ada.get(page("catalog.auditlog")).content.decode(),
        ada.get("/audit/").content.decode(),
        client.get(f"/api/v1/system-config/{KEY.name}/").content.decode(),
        client.get("/api/v1/audit-log/").content.decode(),
        files.written("json", everything=True),
        files.written("toml"),
        "".join(exported(AuditLog.objects.all(), "csv")),
        (tmp_path / "audit.jsonl").read_text(),
        repr(values.snapshot()),
        repr(preview(plan({KEY.name: OTHER})).plan.after),
    ]
    for k, text in enumerate(texts):
        assert "s3cret" not in text, k
    row = client.get(f"/api/v1/system-config/{KEY.name}/").json()
    assert (row["value"], row["default"], row["is_secret"], row["is_active"]) == (None, None, True, True)
    assert [line.change_summary for line in AuditLog.objects.filter(entity_type="systemconfig").order_by("id")] == [
        f"{KEY.name}: not set → set", f"{KEY.name}: set → set", f"{KEY.name}: set → set",
    ]  # fmt: skip


def test_a_file_neither_holds_nor_brings_one():
    with pytest.raises(ChangeRefused, match="is secret: set it on its page") as refusal:
        files.read(f"'{KEY.name}' = 's3cret'")
    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize("value", ["s3cret\n", "s3cret" * 100, 5])
def test_a_refusal_repeats_nothing_of_it(value: object):
    with pytest.raises(ConfigRefused) as refusal:
        values.set_value(KEY.name, value, audit.MACHINE)
    assert "s3cret" not in str(refusal.value)


def test_what_was_secret_in_an_earlier_version_is_not_shown_either(ada: Client):
    row = SystemConfig.objects.create(key="old.token", value="s3cret")
    for url in (page("catalog.systemconfig"), page("catalog.systemconfig", "change", row.pk), "/admin/"):
        assert "s3cret" not in ada.get(url).content.decode()
    values.clear_value("old.token", audit.MACHINE)
    assert "s3cret" not in str(AuditLog.objects.values())
