"""What would be deleted with a row, or forbids it: looked at before any of it is brought into memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models import Model

from catalog.counting import MOST_COUNTED, count_bounded

# As Django's admin has it: what goes, how many of each kind, which permissions lack, what forbids it.
Deleted = tuple[list[object], dict[str, int], set[str], list[object]]


def refused_for_many(rows: Iterable[Model]) -> Deleted | None:
    """Return that rows stay to which too many others refer, in words; None where Django may look at each of these."""
    reasons = list(_reasons(list(rows)))
    return ([], {}, set(), [*reasons]) if reasons else None


def _reasons(rows: list[Model]) -> Iterator[str]:
    for relation in rows[0]._meta.related_objects if rows else ():
        model = relation.related_model
        if not isinstance(model, type) or relation.many_to_many:
            continue
        citing = model._base_manager.filter(**{f"{relation.field.name}__in": rows})
        if count_bounded(citing) > MOST_COUNTED:
            yield (
                f"more than {MOST_COUNTED} {model._meta.verbose_name_plural}: too many to be deleted here. What is old "
                "goes by retention (docs/retention.md); what refers to a row that is in use keeps it."
            )
