"""The pages of what jobs and the audit log are about; catalog knows them by the names of their addresses only."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from catalog.admin.columns import About, name_entities


def link_entities(rows: Iterable[About]) -> None:
    """Give each row the name and the page of what it is about, as `entity_name` and `entity_url`; "" for none."""
    shown = list(rows)
    name_entities(shown)
    for row in shown:
        row.entity_url = _url(row.entity_type, row.entity_id)


def _url(entity_type: str, entity_id: str) -> str:
    if entity_type == "night":
        return f"{reverse('observations:observations')}?{urlencode({'night_from': entity_id, 'night_to': entity_id})}"
    name = settings.ENTITY_PAGES.get(entity_type)
    if name is None:
        return ""
    try:
        return reverse(name, args=[entity_id])
    except NoReverseMatch:
        return ""
