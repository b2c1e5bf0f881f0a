"""What rows that are shown name beside themselves: rows of surveys that are hidden from a person are left out of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from django.db.models import Manager, Model

from catalog.hiding import hidden_from
from catalog.models import Record, RecordQuerySet, Visitor


def leave_out_hidden(rows: Iterable[Model], user: Visitor) -> None:
    """Let rows, which are shown and never saved, name nothing that is hidden from a person: there they are empty."""
    if not hidden_from(user):
        return
    by_model: dict[type[Model], list[Model]] = defaultdict(list)
    for row in rows:
        by_model[type(row)].append(row)
    for model, alike in by_model.items():
        for field in model._meta.concrete_fields:
            related = _record(field.related_model) if field.null else None
            if related is not None:
                shown = _shown(related, {getattr(row, field.attname) for row in alike}, user)
                for row in alike:
                    if getattr(row, field.attname) not in shown:
                        setattr(row, field.name, None)
        for several in model._meta.many_to_many:
            related = _record(several.related_model)
            for row in alike if related is not None else ():
                _leave_out(row, several.name, user)


def _leave_out(row: Model, name: str, user: Visitor) -> None:
    """Keep with a row the rows of one of its many-to-many fields that are shown, as if they had been prefetched."""
    rows: RecordQuerySet = getattr(row, name).all()
    several = list(rows)
    shown = _shown(rows.model, {one.pk for one in several}, user)
    kept = rows.filter()
    vars(kept)["_result_cache"] = [one for one in several if one.pk in shown]
    vars(kept)["_prefetch_done"] = True
    vars(row).setdefault("_prefetched_objects_cache", {})[name] = kept


def _record(model: object) -> type[Record] | None:
    """Return a model whose rows can be hidden."""
    return model if isinstance(model, type) and issubclass(model, Record) else None


def _shown(model: type[Record], keys: set[UUID | None], user: Visitor) -> set[UUID]:
    named = {key for key in keys if key is not None}
    if not named:
        return set()
    # Of what was injected some rows know, too.
    manager: Manager[Record] = getattr(model, "with_injected", model._default_manager)
    rows = manager.get_queryset()
    if not isinstance(rows, RecordQuerySet):
        raise TypeError(model)
    return set(rows.filter(pk__in=named).not_hidden_from(user).values_list("pk", flat=True))
