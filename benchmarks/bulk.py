"""Millions of rows written by the database itself, from a table of numbers that was copied into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import connection
from django.db.models import GeneratedField, Model
from django.db.models.expressions import DatabaseDefault


def write(template: Model, columns: Mapping[str, str], where: str = "TRUE") -> None:
    """Write a row for each of the table `fresh`: these columns by expressions, the others as a template has them."""
    given: dict[str, tuple[str, list[str]]] = {name: (expression, []) for name, expression in columns.items()}
    for field in template._meta.concrete_fields:
        column = str(field.column)
        if isinstance(field, GeneratedField) or column in given:
            continue
        value = getattr(template, field.attname)
        if not isinstance(value, DatabaseDefault):
            value = field.pre_save(template, add=True)
            given[column] = "%s", [field.get_db_prep_save(value, connection)]
    names = ", ".join(f'"{name}"' for name in given)
    values = ", ".join(expression for expression, _ in given.values())
    parameters = [value for _, several in given.values() for value in several]
    table = template._meta.db_table
    with connection.cursor() as cursor:
        sql = f'INSERT INTO "{table}" ({names}) SELECT {values} FROM fresh WHERE {where}'
        cursor.execute(sql, parameters)


@contextmanager
def without_indexes(*models: type[Model]) -> Iterator[None]:
    """Write rows first and their indexes once, after the block; what is unique stays."""
    tables = [model._meta.db_table for model in models]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND NOT EXISTS "
            "(SELECT FROM pg_constraint WHERE conname = indexname)",
            [tables],
        )
        found = cursor.fetchall()
        for name, _ in found:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        cursor.execute("SET maintenance_work_mem = '1GB'")
        for _, definition in found:
            cursor.execute(definition)
