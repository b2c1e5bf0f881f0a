"""Columns and links that the admin's pages are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import JSONField, Model
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from unfold.decorators import display

from catalog.models import AuditLog, ProcessingJob, Record
from catalog.states import KIND_OF, Kind

Column = Callable[[object], object]


class Failing(Protocol):
    """A row that says why it failed, if it did."""

    failure_code: str
    error_message: str


# What is about a row of any app.
About = ProcessingJob | AuditLog

EMPTY = "–"
# The theme's colours; what waits or is over is grey. The word is always there as well.
_COLOUR_OF_KIND = {Kind.GOOD: "success", Kind.BAD: "danger", Kind.BUSY: "info"}
_COLOURS = {state: _COLOUR_OF_KIND[kind] for state, kind in KIND_OF.items() if kind in _COLOUR_OF_KIND}


def state(field: str = "status", title: str = "") -> Column:
    """Return a column that shows a state as a coloured word."""

    @display(description=title or field.replace("_", " "), ordering=field, label=_COLOURS)
    def shown(row: Model) -> tuple[str, str]:
        value = getattr(row, field)
        return value, value.replace("_", " ") or EMPTY

    return _named(shown, field)


@display(description="reason", ordering="failure_code")
def reason(row: Failing) -> str | SafeString:
    """Show why it failed, the whole sentence behind it."""
    if not row.failure_code:
        return EMPTY
    return format_html(
        '<span class="reason" title="{}">{}</span>', row.error_message, row.failure_code.replace("_", " ")
    )


def number(field: str, digits: int = 2, title: str = "", *, is_signed: bool = False) -> Column:
    """Return a column that shows a number with so many decimals; one that is not known is a dash."""

    @display(description=title or field.split("__")[-1].replace("_", " "), ordering=field)
    def shown(row: Model) -> str:
        value = _value(row, field)
        return EMPTY if value is None else f"{value:{'+' if is_signed else ''}.{digits}f}"

    return _named(shown, f"{field}_number")


def related(field: str, title: str = "") -> Column:
    """Return a column that links to the row that a foreign key names."""

    @display(description=title or field.split("__")[-1].replace("_", " "), ordering=field)
    def shown(row: Model) -> str | SafeString:
        value = _value(row, field)
        return link(value) if isinstance(value, Model) else EMPTY

    return _named(shown, f"{field}_link")


def _value(row: Model, field: str) -> object:
    """Return what a path of fields leads to; None where a part of it is not there."""
    value: object = row
    for name in field.split("__"):
        value = getattr(value, name, None)
    return value


def _named(column: Column, name: str) -> Column:
    """Give a column the name by which lists tell columns apart."""
    column.__name__ = name
    return column


def link(row: Model, text: str = "") -> SafeString:
    """Return a link to a row's own page."""
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(row.pk)])
    return format_html('<a class="text-link" href="{}">{}</a>', url, text or str(row))


def list_link(label: str, text: str, **narrowed: object) -> SafeString:
    """Return a link to the list of a model, "app.model", narrowed to some rows.

    Earlier apps know the pages of later ones by this name only.
    """
    query = urlencode({name: str(value) for name, value in narrowed.items()})
    url = reverse(f"admin:{label.replace('.', '_')}_changelist") + f"?{query}"
    return format_html('<a class="text-link" href="{}">{}</a>', url, text)


def related_links(links: Iterable[SafeString]) -> SafeString:
    """Return links beside each other."""
    return format_html_join(" · ", "{}", ((entry,) for entry in links))


def entity_link(entity_type: str, entity_id: str, name: str = "") -> str | SafeString:
    """Return a link to what a job or a line of the AuditLog is about; plain words where it has no page."""
    text = f"{_kind(entity_type)} {name or entity_id}"
    if entity_type == "night":
        return list_link("observations.observation", text, night_from=entity_id, night_to=entity_id)
    if entity_type == "field_night":
        field, _, night = entity_id.partition("/")
        return entity_link("field", field, f"in the night {night}")
    if entity_type == "workflow":
        return list_link("catalog.processingjob", text, workflow_id=entity_id)
    model = _model_of(entity_type)
    if model is None:
        return text
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[quote(entity_id)])
    return format_html('<a class="text-link" href="{}">{}</a>', url, text)


def entity_link_of(row: About) -> str | SafeString:
    """Return a link to what a job or a line of the AuditLog is about, by its name."""
    if not hasattr(row, "entity_name"):
        name_entities([row])
    return entity_link(row.entity_type, row.entity_id, row.entity_name)


def name_entities(rows: Iterable[About]) -> None:
    """Give each row the kind and name of what it is about, `entity_kind` and `entity_name`: one query for each kind."""
    shown = list(rows)
    names: dict[tuple[str, str], str] = {}
    for entity_type in {row.entity_type for row in shown}:
        model = _model_of(entity_type)
        if model is not None and issubclass(model, Record):
            keys = [key for row in shown if row.entity_type == entity_type and (key := as_key(row.entity_id))]
            # Documents are the most of a row, and no name is made of them.
            documents = [field.name for field in model._meta.concrete_fields if isinstance(field, JSONField)]
            named = model._default_manager.filter(pk__in=keys).defer(*documents)
            names |= {(entity_type, str(row.pk)): str(row) for row in named}
    for row in shown:
        row.entity_kind = _kind(row.entity_type)
        row.entity_name = names.get((row.entity_type, row.entity_id), "")


def changes_of(line: AuditLog) -> list[dict[str, object]]:
    """Return what a line of the AuditLog says of each value that is another one now: its name, before and after."""
    before, after = line.old_values, line.new_values
    names = sorted(name for name in {*before, *after} if name not in before or before[name] != after.get(name))
    return [{"name": name, "before": before.get(name), "after": after.get(name)} for name in names]


def as_key(text: str) -> UUID | None:
    """Return the key that a text is, or None."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def _model_of(entity_type: str) -> type[Model] | None:
    name = entity_type.replace("_", "")
    return next((model for model in admin.site._registry if model._meta.model_name == name), None)


def _kind(entity_type: str) -> str:
    """Return in words what kind of thing a job or a line of the AuditLog is about."""
    model = _model_of(entity_type)
    return str(model._meta.verbose_name) if model is not None else entity_type.replace("_", " ")
