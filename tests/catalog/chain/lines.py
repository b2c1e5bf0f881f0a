"""Lines of the AuditLog at times of one's choice, and the hand of somebody who may do everything in the database."""

from __future__ import annotations

from django.db import connection

from catalog.models import AuditLog, AuditSeal

_INSERT = """
INSERT INTO catalog_auditlog (id, created_at, updated_at, entity_type, entity_id, action, "user", user_id, old_values,
    new_values, change_summary, reason, "group", ip_address, user_agent)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid, moment, moment, 'survey', number::text,
    'rename', 'ada', '', '{"name": "a"}', jsonb_build_object('name', number), 'a → ' || number, '', NULL,
    '192.0.2.1', ''
FROM (SELECT number, timestamptz '2024-03-01 21:00Z' + number * interval '1 hour' AS moment
    FROM generate_series(%s, %s) number) numbers
"""


def write(first: int, last: int | None = None) -> None:
    """Write lines by number, an hour after each other."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [first, last or first])


def meddle(sql: str, *values: object) -> None:
    """Change what nobody may: with the triggers off, as a superuser can."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, values)
        cursor.execute("SET LOCAL session_replication_role = origin")


def chained() -> list[str]:
    """Return what is sealed, by the number of the line, in the order of the chain."""
    keys = AuditSeal.objects.order_by("position").values_list("pk", flat=True)
    numbers = dict(AuditLog.objects.values_list("pk", "entity_id"))
    return [numbers[key] for key in keys]
