"""What people and clients are told of files that retention removed."""

from __future__ import annotations

from catalog.files import storage
from catalog.models import Record, RemovedFile
from catalog.retention.rules import FileRule, rule_of


def removed_words(row: Record) -> str:
    """Return when and why the files of a row were removed, as a sentence; "" where they were not."""
    entity_type = str(row._meta.model_name)
    gone = RemovedFile.objects.filter(entity_type=entity_type, entity_id=row.pk).first()
    if gone is None:
        return ""
    rule = rule_of(entity_type)
    if rule is not None and gone.removed_at is not None and _are_there(row, rule):
        return ""
    told, key = ("The files were", "") if rule is None else (rule.told, f" ({rule.key})")
    when = "marked to be removed" if gone.removed_at is None else f"removed on {gone.removed_at:%Y-%m-%d}"
    return f"{told} {when} by the retention of {gone.kept_days} days{key}."


def _are_there(row: Record, rule: FileRule) -> bool:
    """Tell whether the files of a row were made again since."""
    paths = [str(path) for name in rule.paths if (path := getattr(row, name))]
    try:
        return bool(paths) and all(storage.exists(path) for path in paths)
    except storage.StorageUnreachable:
        return False


def forget_removed(row: Record) -> None:
    """Say no more that the files of a row were removed: they were delivered again."""
    RemovedFile.objects.filter(entity_type=str(row._meta.model_name), entity_id=row.pk).delete()
