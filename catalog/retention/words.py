"""What people and clients are told of files that retention removed."""

from __future__ import annotations

from catalog.models import Record, RemovedFile
from catalog.retention.rules import rule_of


def removed_words(row: Record) -> str:
    """Return when and why the files of a row were removed, as a sentence; "" where they were not."""
    entity_type = str(row._meta.model_name)
    gone = RemovedFile.objects.filter(entity_type=entity_type, entity_id=row.pk).first()
    if gone is None:
        return ""
    rule = rule_of(entity_type)
    key = "" if rule is None else f" ({rule.key})"
    when = "are being removed" if gone.removed_at is None else f"were removed on {gone.removed_at:%Y-%m-%d}"
    what = "its files" if rule is None else rule.name
    return f"{what[:1].upper()}{what[1:]} like this one {when} by the retention of {gone.kept_days} days{key}."


def forget_removed(row: Record) -> None:
    """Say no more that the files of a row were removed: they were delivered again."""
    RemovedFile.objects.filter(entity_type=str(row._meta.model_name), entity_id=row.pk).delete()
