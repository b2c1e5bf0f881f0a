from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.sites import AdminSite
from django.test import Client, RequestFactory
from django.urls import reverse

from catalog import admin as catalog_admin
from catalog import audit
from catalog.models import AuditLog, Record, SystemConfig
from tests.factories import (
    AlertFactory,
    CalibrationFrameFactory,
    CalibrationMasterFactory,
    CandidateScoreFactory,
    PreprocessRunFactory,
    ProcessingJobFactory,
    ReferenceFactory,
    TelescopeFactory,
    TrackletFactory,
    UserFactory,
    ValidationEventFactory,
)

OWN_MODELS = [model for model in apps.get_models() if issubclass(model, Record)]


@pytest.mark.parametrize("model", OWN_MODELS, ids=lambda model: model.__name__)
def test_every_model_is_in_the_admin(model: type[Record]) -> None:
    assert model in admin.site._registry


@pytest.mark.parametrize("model", OWN_MODELS, ids=lambda model: model.__name__)
def test_no_form_offers_what_a_machine_wrote(model: type[Record]) -> None:
    editable = {"Survey", "Telescope", "LabelDefinition", "SystemConfig", "User"}
    is_product = isinstance(admin.site._registry[model], catalog_admin.ProductAdmin)
    assert is_product == (model.__name__ not in editable)


@pytest.mark.django_db
def test_a_change_of_configuration_in_the_admin_is_audited_and_can_be_taken_back(rf: RequestFactory) -> None:
    request = rf.post("/", headers={"user-agent": "browser"})
    request.user = UserFactory(username="ada", is_staff=True, is_superuser=True)
    page = catalog_admin.SystemConfigAdmin(SystemConfig, AdminSite())
    for is_active in (True, False):
        row = SystemConfig(key="detection.confidence_threshold", value=0.8, is_active=is_active)
        page.save_model(request, row, page.get_form(request)(), change=False)
    assert SystemConfig.objects.get().is_active is False
    assert [(row.user, row.action) for row in AuditLog.objects.order_by("id")] == [
        ("ada", "set_configuration"),
        ("ada", "clear_configuration"),
    ]


@pytest.mark.django_db
def test_every_list_and_page_of_the_admin_opens_for_an_administrator(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    rows = [AlertFactory(), CandidateScoreFactory(), CalibrationFrameFactory(), TrackletFactory(), ReferenceFactory()]
    rows += [CalibrationMasterFactory(), PreprocessRunFactory(), ProcessingJobFactory(), ValidationEventFactory()]
    rows += [TelescopeFactory(), audit.record(("night", "2024-03-01"), "process")]
    for model in OWN_MODELS:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert client.get(reverse(f"{name}_changelist"), {"q": "x"}).status_code == 200
        row = model._default_manager.first()
        if row is not None:
            assert client.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200


@pytest.mark.django_db
def test_the_form_refuses_an_undeclared_key_with_a_sentence(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    answer = client.post(
        reverse("admin:catalog_systemconfig_add"), {"key": "no.such_key", "value": "1", "is_active": "on"}
    )
    assert answer.status_code == 200
    assert "There is no configuration key" in answer.content.decode()
    assert not SystemConfig.objects.exists()
