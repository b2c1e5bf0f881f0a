"""Reading and changing the configuration; what may be in it is declared in `catalog.configuration.keys`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType, SimpleNamespace
from typing import Any

from django.db import connection, transaction

from catalog.configuration.keys import DECLARED, ConfigRefused, ConfigValue, check_value
from catalog.failures import FailureCode, StageFailure
from catalog.models import SystemConfig
from catalog.people import audit


@dataclass(frozen=True)
class Snapshot:
    """The configuration at one moment: `snapshot["detection.confidence_threshold"]`, or
    `snapshot.detection.confidence_threshold`. A run reads it once, takes `only` the keys that it declares to read,
    and records their `hash`."""

    # Not repeated in a traceback: there may be secrets among them.
    values: Mapping[str, ConfigValue] = field(repr=False)

    @cached_property
    def hash(self) -> str:
        """The SHA-256 of keys and values, whatever their order."""
        text = json.dumps(dict(self.values), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def only(self, keys: Iterable[str]) -> Snapshot:
        """Return these keys alone: to read another is an error, since the hash does not cover it."""
        return Snapshot(MappingProxyType({key: self.values[key] for key in keys}))

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def __getattr__(self, group: str) -> SimpleNamespace:
        members = {} if group.startswith("_") else self.group(group)
        if not members:
            raise AttributeError(f"there is no configuration group {group!r}")
        return SimpleNamespace(**members)

    def group(self, group: str) -> dict[str, object]:
        """Return the values of one group by their names without the group's."""
        prefix = f"{group}."
        return {key.removeprefix(prefix): value for key, value in self.values.items() if key.startswith(prefix)}


def defaults() -> Snapshot:
    """Return the declared defaults, whatever a site has set."""
    return Snapshot(MappingProxyType({name: key.default for name, key in DECLARED.items()}))


# What was read since a block began that goes by one moment's configuration.
_READ: ContextVar[list[Snapshot] | None] = ContextVar("astrid_configuration", default=None)


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Let all that is asked within the block go by the configuration as it is when it is read first."""
    token = _READ.set([])
    try:
        yield
    finally:
        _READ.reset(token)


def snapshot() -> Snapshot:
    """Return defaults and active rows as one frozen whole; a stored value that is not acceptable stops the run."""
    read = _READ.get()
    if read is None:
        return _read()
    if not read:
        read.append(_read())
    return read[0]


def _read() -> Snapshot:
    values = dict(defaults().values)
    # Every request of triage asks, and to write the query takes Python longer than to carry it out.
    with connection.cursor() as cursor:
        cursor.execute("SELECT key, value FROM catalog_systemconfig WHERE is_active ORDER BY key")
        stored = cursor.fetchall()
    for name, value in stored:
        try:
            values[name] = check_value(name, json.loads(value))
        except ConfigRefused as refusal:
            raise StageFailure(FailureCode.BAD_CONFIGURATION, f"{refusal} Correct or deactivate the row.") from refusal
    return Snapshot(MappingProxyType(values))


def acceptable() -> Snapshot:
    """Return what is in use where it is acceptable, else the default: what is to be put right stops nobody here."""
    values = dict(defaults().values)
    for name, value in SystemConfig.objects.filter(is_active=True, key__in=DECLARED).values_list("key", "value"):
        with suppress(ConfigRefused):
            values[name] = check_value(name, value)
    return Snapshot(MappingProxyType(values))


def set_value(key: str, value: object, actor: audit.Actor) -> SystemConfig:
    """Store a value and the line in the AuditLog that says who changed what; refuse a bad one with ConfigRefused."""
    return _change(key, check_value(key, value), actor, is_active=True)


def clear_value(key: str, actor: audit.Actor) -> SystemConfig:
    """Return to the declared default, with the line in the AuditLog; end the use of a row that nothing reads."""
    if key in DECLARED:
        return _change(key, DECLARED[key].default, actor, is_active=False)
    return _end_use(key, actor)


@transaction.atomic
def _change(key: str, value: ConfigValue, actor: audit.Actor, *, is_active: bool) -> SystemConfig:
    declared = DECLARED[key]
    row, _ = SystemConfig.objects.get_or_create(key=key, defaults={"value": declared.default, "is_active": False})
    row = SystemConfig.objects.select_for_update().get(pk=row.pk)
    before = row.value if row.is_active else declared.default
    row.value, row.description, row.is_active = value, declared.explanation, is_active
    row.save(update_fields=["value", "description", "is_active", "updated_at"])
    audit.record(
        row,
        "set_configuration" if is_active else "clear_configuration",
        actor=actor,
        old={"value": declared.told(before)},
        new={"value": declared.told(value)},
        summary=f"{key}: {declared.told(before)} → {declared.told(value)}",
    )
    return row


@transaction.atomic
def _end_use(key: str, actor: audit.Actor) -> SystemConfig:
    """Deactivate the row of a key that an earlier version declared; its value is not told: it may have been secret."""
    row = SystemConfig.objects.select_for_update().filter(key=key).first()
    if row is None:
        raise ConfigRefused(f"There is no configuration key {key!r}.")
    if row.is_active:
        row.is_active = False
        row.save(update_fields=["is_active", "updated_at"])
        audit.record(row, "clear_configuration", actor=actor, summary=f"{key}: not used")
    return row
