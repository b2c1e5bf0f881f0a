"""Filters under a name: kept, shared, and one of them the default of its person."""

from __future__ import annotations

from django.db import transaction
from django.http import QueryDict

from catalog.models import User
from catalog.people import audit
from catalog.people.audit import Actor
from curation.models import SavedFilter

# What an address says beside the filters: where in a list one is, and which detection is wanted.
_NOT_KEPT = ("cursor", "detection")
_MOST_SAVED = 50


class NotSaved(ValueError):
    """This filter cannot be kept; the text says why."""


@transaction.atomic
def save_filter(
    person: User, name: str, query: str, *, is_shared: bool, is_default: bool, actor: Actor | None = None
) -> SavedFilter:
    """Keep a filter; one of the same name is replaced. Raises NotSaved where a person has very many."""
    own = SavedFilter.objects.filter(person=person)
    if own.exclude(name=name).count() >= _MOST_SAVED:
        raise NotSaved(f"You have {_MOST_SAVED} filters already: delete one first.")
    if is_default:
        own.update(is_default=False)
    values = {"query": kept(query), "is_shared": is_shared, "is_default": is_default}
    before = own.filter(name=name).values(*values).first()
    row: SavedFilter = SavedFilter.objects.update_or_create(person=person, name=name, defaults=values)[0]
    if before != values:
        audit.record(row, "save_filter", actor=actor or Actor(person), old=before, new=values, summary=name)
    return row


@transaction.atomic
def delete_filter(row: SavedFilter, actor: Actor) -> None:
    """Delete a filter, which others may have used too."""
    old = {"query": row.query, "is_shared": row.is_shared, "is_default": row.is_default}
    audit.record(row, "delete_filter", actor=actor, old=old, summary=row.name)
    row.delete()


def kept(query: str) -> str:
    """Return what of an address is kept: no place in a list, no empty fields."""
    given = QueryDict(query, mutable=True)
    for name in list(given):
        values = [value for value in given.getlist(name) if value]
        if name in _NOT_KEPT or not values:
            del given[name]
        else:
            given.setlist(name, values)
    return given.urlencode()


def default_query(person: User) -> str:
    """Return the filter that triage begins with for a person; "" for none."""
    return SavedFilter.objects.filter(person=person, is_default=True).values_list("query", flat=True).first() or ""
