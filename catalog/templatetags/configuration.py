"""Values of the configuration in templates; secrets never."""

from __future__ import annotations

from django import template

from catalog.configuration.keys import DECLARED
from catalog.configuration.words import shown, shown_of
from catalog.models import SystemConfig

register = template.Library()


@register.filter
def plainly(value: object) -> str:
    """Return a value as people write it."""
    return shown(value)


@register.filter
def value_of(row: SystemConfig) -> str:
    """Return what may be shown of a stored value; nothing of a key that nobody declares: it may have been secret."""
    key = DECLARED.get(row.key)
    return "not used any more" if key is None else shown_of(key, row.value)
