"""One line in the AuditLog for what a person or a machine run did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AbstractUser
from django.db.models import Model

from catalog.models import AuditLog

# Longer ones are made up; browsers send about 150 characters.
USER_AGENT_LENGTH = 500


@dataclass(frozen=True)
class Actor:
    """Who acts, and from where; why, in their words; and what the lines of one change have in common."""

    user: AbstractUser | None = None
    ip_address: str | None = None
    user_agent: str = ""
    reason: str = ""
    group: UUID | None = None


MACHINE = Actor()


def record(
    entity: Model | tuple[str, str],
    action: str,
    *,
    actor: Actor = MACHINE,
    old: Mapping[str, object] | None = None,
    new: Mapping[str, object] | None = None,
    summary: str = "",
) -> AuditLog:
    """Add a row; call it inside the transaction that makes the change, so that neither exists alone."""
    row = _line(entity, action, actor, old, new)
    row.change_summary = summary
    row.save(force_insert=True)
    return row


def record_each(
    entities: Iterable[Model],
    action: str,
    *,
    actor: Actor = MACHINE,
    old: Mapping[str, object] | None = None,
    new: Mapping[str, object] | None = None,
) -> None:
    """Add a row for each of many that were changed alike."""
    AuditLog.objects.bulk_create([_line(entity, action, actor, old, new) for entity in entities])


def record_changes(
    changes: Iterable[tuple[Model, Mapping[str, object], Mapping[str, object]]],
    action: str,
    *,
    actor: Actor = MACHINE,
) -> None:
    """Add a row for each of several that were changed each in its own way: what, what before and what after."""
    AuditLog.objects.bulk_create([_line(entity, action, actor, old, new) for entity, old, new in changes])


def _line(
    entity: Model | tuple[str, str],
    action: str,
    actor: Actor,
    old: Mapping[str, object] | None,
    new: Mapping[str, object] | None,
) -> AuditLog:
    entity_type, entity_id = entity if isinstance(entity, tuple) else (str(entity._meta.model_name), str(entity.pk))
    return AuditLog(
        entity_type=entity_type,
        entity_id=entity_id,
        action=action,
        user=actor.user.get_username() if actor.user else "",
        user_id=str(actor.user.pk) if actor.user else "",
        old_values=dict(old or {}),
        new_values=dict(new or {}),
        ip_address=actor.ip_address,
        reason=actor.reason,
        group=actor.group,
        user_agent=actor.user_agent.replace("\0", "")[:USER_AGENT_LENGTH],
    )
