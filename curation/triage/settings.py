"""How one person works in triage: their keys, and whether they are asked for reasons."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction

from catalog.models import User
from curation.models import TriageSettings


def settings_of(person: User) -> TriageSettings:
    """Return what a person has chosen; where they have not, what is usual."""
    return TriageSettings.objects.filter(person=person).first() or TriageSettings(person=person)


@transaction.atomic
def save_settings(person: User, keys: Mapping[str, str], *, asks_for_reason: bool) -> TriageSettings:
    """Keep what a person has chosen: it changes nothing but how their own page works."""
    values = {"keys": dict(keys), "asks_for_reason": asks_for_reason}
    return TriageSettings.objects.update_or_create(person=person, defaults=values)[0]
