"""Several keys changed as one: all or nothing, with one reason, and lines of the AuditLog that belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from uuid import UUID

from django.db import connection, transaction

from catalog.configuration import values
from catalog.configuration.keys import DECLARED, ConfigKey, ConfigRefused, ConfigValue, check_value
from catalog.configuration.together import contradictions
from catalog.configuration.values import Snapshot
from catalog.ids import uuid7
from catalog.models import SystemConfig
from catalog.people import audit

LONGEST_REASON = 2000
# Held by whoever changes keys; any number that nothing else uses.
_LOCK = 0xC0F1
# The key of refusals that belong to no key.
OF_ALL = ""


class ChangeRefused(ValueError):
    """Nothing of a change was done; `reasons` says why, by key."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__(" ".join(reasons.values()))
        self.reasons = reasons


@dataclass(frozen=True)
class Change:
    """One key that would be another: its values in use before and after. With `to_default` no row overrides it."""

    key: ConfigKey
    before: ConfigValue
    after: ConfigValue
    to_default: bool

    @property
    def told_before(self) -> object:
        return self.key.told(self.before)

    @property
    def told_after(self) -> object:
        """Return what may be shown of the new value."""
        return "another one" if self.key.is_secret and self.before and self.after else self.key.told(self.after)


@dataclass(frozen=True)
class Plan:
    """A change that may be done: what becomes different, and the whole configuration before and after."""

    changes: tuple[Change, ...]
    before: Snapshot
    after: Snapshot

    @property
    def asks_for_reason(self) -> bool:
        return any(change.key.is_science for change in self.changes)

    @property
    def state(self) -> str:
        """Return a text that stands for what it changes from what to what, and is another one for any other change."""
        names = sorted(change.key.name for change in self.changes)
        return f"{self.before.only(names).hash}-{self.after.only(names).hash}"


def plan(asked: Mapping[str, object]) -> Plan:
    """Return what a change comes to; None asks for the default. Raises ChangeRefused with every reason at once."""
    refused, wanted = {}, {}
    for name, value in asked.items():
        try:
            if name not in DECLARED:
                raise ConfigRefused(f"There is no configuration key {name!r}.")
            wanted[name] = DECLARED[name].default if value is None else check_value(name, value)
        except ConfigRefused as reason:
            refused[name] = str(reason)
    now = dict(values.acceptable().values)
    after = {**now, **wanted}
    # What contradicts itself already is no reason against changing something else.
    refused |= {name: text for name, text in contradictions(after).items() if contradictions(now).get(name) != text}
    if refused:
        raise ChangeRefused(refused)
    overridden = set(SystemConfig.objects.filter(is_active=True).values_list("key", flat=True))
    changes = tuple(
        Change(DECLARED[name], now[name], value, to_default=value == DECLARED[name].default)
        for name, value in wanted.items()
        if value != now[name] or (name in overridden and value == DECLARED[name].default)
    )
    return Plan(changes, Snapshot(MappingProxyType(now)), Snapshot(MappingProxyType(after)))


@transaction.atomic
def change(asked: Mapping[str, object], reason: str, actor: audit.Actor, *, state: str = "") -> Plan:
    """Do a change, all or nothing; return what was done.

    state : of the plan that the person has been shown; where this would be another one, nothing is done.
    Raises ChangeRefused, also where a key that changes what becomes science is changed without a reason.
    """
    with connection.cursor() as cursor:
        # One after the other: what is checked together must not be changed between, nor a row made.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    planned = plan(asked)
    if state and planned.state != state:
        raise ChangeRefused(
            {OF_ALL: "This is not the change that was shown, or somebody else has changed a value since: look again."}
        )
    reason = reason.strip()
    if planned.asks_for_reason and not reason:
        raise ChangeRefused({OF_ALL: "Give a reason: this changes what becomes science."})
    if len(reason) > LONGEST_REASON or "\0" in reason:
        raise ChangeRefused({OF_ALL: f"A reason has at most {LONGEST_REASON} characters."})
    group: UUID | None = uuid7() if len(planned.changes) > 1 else None
    actor = replace(actor, reason=reason, group=group)
    for one in planned.changes:
        if one.to_default:
            values.clear_value(one.key.name, actor)
        else:
            values.set_value(one.key.name, one.after, actor)
    return planned
