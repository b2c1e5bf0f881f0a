"""What the flush after a test with real transactions leaves to the next one."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core.management import call_command

from curation.models import LabelDefinition
from tests.factories import ValidationEventFactory


def all_rows() -> dict[str, list[tuple[object, ...]]]:
    models = apps.get_models(include_auto_created=True)
    return {model._meta.label: list(model._base_manager.order_by("pk").values_list()) for model in models}


@pytest.mark.django_db(transaction=True)
def test_a_flush_leaves_what_the_migrations_wrote_and_nothing_else():
    migrated = all_rows()
    ValidationEventFactory()
    Group.objects.all().delete()
    assert all_rows() != migrated
    call_command("flush", verbosity=0, interactive=False)
    assert all_rows() == migrated
    assert Group.objects.exists() and LabelDefinition.objects.exists()
