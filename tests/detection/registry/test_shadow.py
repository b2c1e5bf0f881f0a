"""A model scores in shadow, and the one before comes back."""

from __future__ import annotations

import hashlib

import pytest
from django.urls import reverse

from catalog.files import storage
from catalog.models import AuditLog
from catalog.people.audit import MACHINE
from detection.models import Model
from detection.registry.shadow import begin_shadow, end_shadow, previous_of, roll_back, shadow_of
from detection.registry.weights import ModelRefused, activate
from tests.browsers import client_of
from tests.factories import ModelFactory, digest

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


def stored(**more) -> Model:
    """Make a model whose weights are where they should be."""
    row = ModelFactory(**more)
    storage.write_atomically(row.model_path, row.version.encode())
    Model.objects.filter(pk=row.pk).update(weights_sha256=hashlib.sha256(row.version.encode()).hexdigest())
    row.refresh_from_db()
    return row


def said(client, model, change) -> tuple[Model, str]:
    is_use = change == "activate"
    address = reverse("detection:activate_model", args=[model.pk]) if is_use else None
    answer = client.post(address or reverse("detection:change_model", args=[model.pk, change]), follow=True)
    model.refresh_from_db()
    return model, " ".join(str(message) for message in answer.context["messages"])


def test_one_model_is_in_shadow_and_another_takes_its_place():
    first, second = stored(), stored()
    begin_shadow(first, MACHINE)
    begin_shadow(second, MACHINE)
    assert shadow_of() == second
    end_shadow(second, MACHINE)
    assert shadow_of() is None
    done = AuditLog.objects.filter(entity_type="model").order_by("created_at").values_list("action", flat=True)
    assert list(done) == ["begin_shadow", "end_shadow", "begin_shadow", "end_shadow"]


def test_the_active_model_is_no_shadow_and_an_activated_shadow_is_none_any_more():
    used, other = stored(is_active=True), stored()
    with pytest.raises(ModelRefused, match="in use"):
        begin_shadow(used, MACHINE)
    begin_shadow(other, MACHINE)
    with pytest.raises(ModelRefused, match="already"):
        begin_shadow(other, MACHINE)
    activate(other, MACHINE, reason="Tried.")
    other.refresh_from_db()
    assert (other.is_active, other.is_shadow) == (True, False)
    with pytest.raises(ModelRefused, match="not in shadow"):
        end_shadow(other, MACHINE)


@pytest.mark.parametrize("harm", ["missing", "altered"])
def test_missing_or_altered_weights_block_shadow_and_the_way_back_with_a_reason(harm):
    first, second = stored(), stored()
    activate(first, MACHINE, reason="Tried.")
    activate(second, MACHINE, reason="Tried.")
    if harm == "missing":
        storage.remove(first.model_path)
    else:
        storage.write_atomically(first.model_path, b"other weights")
    for work in (lambda: begin_shadow(first, MACHINE), lambda: roll_back(second, MACHINE)):
        with pytest.raises(ModelRefused, match="are missing" if harm == "missing" else "have changed"):
            work()
    assert Model.objects.get(is_active=True) == second
    assert not AuditLog.objects.filter(action="roll_back_model").exists()


def test_the_way_back_leads_to_the_one_that_was_in_use_before():
    first, second, third = stored(), stored(), stored()
    for row in (first, second, third):
        activate(row, MACHINE, reason="Tried.")
    assert previous_of(third) == second
    assert roll_back(third, MACHINE) == second
    assert Model.objects.get(is_active=True) == second
    line = AuditLog.objects.get(action="roll_back_model")
    assert line.new_values == {"active": str(second)}
    with pytest.raises(ModelRefused, match="not in use any more"):
        roll_back(third, MACHINE)


def test_without_another_there_is_no_way_back():
    row = stored()
    activate(row, MACHINE, reason="Tried.")
    with pytest.raises(ModelRefused, match="No other model"):
        roll_back(row, MACHINE)


def test_an_administrator_does_it_on_the_models_page_and_is_told_why_not():
    client = client_of("administrator")
    first, second = stored(), ModelFactory(weights_sha256=digest("gone"))
    row, text = said(client, first, "activate")
    assert row.is_active
    assert "from the next frame on" in text
    row, text = said(client, second, "shadow")
    assert not row.is_shadow
    assert "are missing" in text
    assert client.post(reverse("detection:change_model", args=[first.pk, "explode"])).status_code == 404
    assert client_of("operator").post(reverse("detection:change_model", args=[first.pk, "shadow"])).status_code == 403


def test_the_page_offers_the_way_back_by_name():
    first, second = stored(name="older"), stored(name="newer")
    activate(first, MACHINE, reason="Tried.")
    activate(second, MACHINE, reason="Tried.")
    text = client_of("administrator").get(reverse("detection:model", args=[second.pk])).content.decode()
    assert reverse("detection:change_model", args=[second.pk, "roll-back"]) in text
    assert str(first) in text
    assert "roll-back" not in client_of("operator").get(reverse("detection:model", args=[second.pk])).content.decode()
