"""Sky positions in the database: a field that indexes itself and the cone question every positioned model answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self, TypeVar

from django.db import connections, models
from django.db.models.expressions import RawSQL

from catalog import constraints
from catalog.models import Record, RecordQuerySet
from observations.numerics.healpix import cone_ranges, position_index

_Row = TypeVar("_Row", bound=models.Model)
_POSITION = frozenset({"ra", "dec"})

# The planner believes that the join returns millions of rows; materialising it keeps the plan to index probes.
# The angle is the haversine's, which stays exact for small separations, at the poles and across RA 0.
_CONE_SQL = """
    WITH near AS MATERIALIZED (
        SELECT sky.id, sky.ra, sky.dec
        FROM unnest(%s::bigint[], %s::bigint[]) AS span(first, past)
        JOIN {table} AS sky ON sky.healpix >= span.first AND sky.healpix < span.past
    )
    SELECT near.id FROM near
    WHERE 2 * degrees(asin(least(1, sqrt(
        power(sin(radians(near.dec - %s) / 2), 2)
        + cos(radians(near.dec)) * cos(radians(%s)) * power(sin(radians(near.ra - %s) / 2), 2)
    )))) <= %s
"""
# The same test of each row as it comes, for a cone that holds so many that the order of a list soon meets enough.
_ROW_SQL = """
    ({ranges}) AND 2 * degrees(asin(least(1, sqrt(
        power(sin(radians({table}.dec - %s) / 2), 2)
        + cos(radians({table}.dec)) * cos(radians(%s)) * power(sin(radians({table}.ra - %s) / 2), 2)
    )))) <= %s
"""
_COUNT_SQL = """
    SELECT count(*) FROM (
        SELECT 1 FROM unnest(%s::bigint[], %s::bigint[]) AS span(first, past)
        JOIN {table} AS sky ON sky.healpix >= span.first AND sky.healpix < span.past LIMIT %s
    ) AS counted
"""
# Rows that are gathered and sorted in the time that a page may take.
_FEW = 30_000

Cone = tuple[float, float, float]


class HealpixField(models.BigIntegerField):
    """HEALPix index (order 29, nested) of the row's `ra` and `dec`, computed whenever the row is written."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Sequence[object], dict[str, object]]:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["editable"]
        return name, path, args, kwargs

    def pre_save(self, model_instance: models.Model, add: bool) -> int:
        index = int(position_index(model_instance.ra, model_instance.dec))  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, index)
        return index


class SkyQuerySet(RecordQuerySet):
    """Questions about positions; and a guard against a position that moves without its index."""

    def cone(self, ra: float, dec: float, radius_arcsec: float) -> Self:
        """Return rows within `radius_arcsec` (great circle, border included) of a position in ICRS degrees."""
        first, past = cone_ranges(ra, dec, radius_arcsec)
        table = self.model._meta.db_table
        sql = _CONE_SQL.format(table=f'"{table}"')
        # The only thing put into the text is the name of our own table; what the asker gave are parameters.
        return self.filter(pk__in=RawSQL(sql, (first, past, dec, dec, ra, radius_arcsec / 3600.0)))  # noqa: S611

    def within(self, cones: Sequence[Cone]) -> Self:
        """Return rows in any of the cones (ra, dec in degrees, radius in arcseconds), for a list in whatever order.

        The planner expects them to lie everywhere in that order, and reads all of it when they lie at its end. So few
        are gathered first, and looked up by their keys.
        """
        table = f'"{self.model._meta.db_table}"'
        ranges = [cone_ranges(*cone) for cone in cones]
        if not cones:
            return self.none()
        places = [(dec, dec, ra, radius_arcsec / 3600.0) for ra, dec, radius_arcsec in cones]
        if self._counted(ranges) <= _FEW:
            parts = [_CONE_SQL.format(table=table)] * len(cones)
            sql = f"{table}.id = ANY(ARRAY(({') UNION ALL ('.join(parts)})))"
            params = [value for span, place in zip(ranges, places, strict=True) for value in (*span, *place)]
        else:
            parts = [_ROW_SQL.format(table=table, ranges=_spans(table, span)) for span in ranges]
            sql = f"(({') OR ('.join(parts)}))"
            params = [
                value
                for span, place in zip(ranges, places, strict=True)
                for value in (*(end for pair in zip(*span, strict=True) for end in pair), *place)
            ]
        # As above, only the name of our own table is put into the text.
        return self.filter(RawSQL(sql, params, output_field=models.BooleanField()))  # noqa: S611

    def _counted(self, ranges: Sequence[tuple[list[int], list[int]]]) -> int:
        """Count the rows in ranges of the index, up to a few."""
        sql = _COUNT_SQL.format(table=f'"{self.model._meta.db_table}"')
        first, past = ([end for span in ranges for end in span[side]] for side in (0, 1))
        with connections[self.db].cursor() as cursor:
            return int(cursor.execute(sql, (first, past, _FEW + 1)).fetchone()[0])

    def update(self, **values: object) -> int:
        if values.keys() & _POSITION and "healpix" not in values:
            raise ValueError("update() of ra or dec leaves healpix behind: save the rows or use bulk_update().")
        return super().update(**values)

    def bulk_update(self, objs: Iterable[object], fields: Iterable[str], batch_size: int | None = None) -> int:
        rows, names = list(objs), set(fields)
        if names & _POSITION:
            names.add("healpix")
            for row in rows:
                self.model._meta.get_field("healpix").pre_save(row, False)
        return super().bulk_update(rows, sorted(names), batch_size=batch_size)

    bulk_update.alters_data = True  # type: ignore[attr-defined]
    update.alters_data = True  # type: ignore[attr-defined]


def _spans(table: str, span: tuple[list[int], list[int]]) -> str:
    return " OR ".join([f"{table}.healpix >= %s AND {table}.healpix < %s"] * len(span[0]))


class SkyRecord(Record):
    """A row with a position in ICRS degrees."""

    ra = models.FloatField(help_text="Right ascension, ICRS degrees.")
    dec = models.FloatField(help_text="Declination, ICRS degrees.")
    healpix = HealpixField()

    objects = SkyQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        abstract = True
        constraints = [constraints.right_ascension(), constraints.declination()]
        indexes = [models.Index(fields=["healpix"], include=["ra", "dec", "id"], name="%(class)s_sky")]

    def save(self, *args: object, **kwargs: Any) -> None:
        names = kwargs.get("update_fields")
        if names is not None and _POSITION & set(names) and "healpix" not in names:
            raise ValueError('Saving ra or dec needs "healpix" among update_fields, or a cone would miss the row.')
        super().save(*args, **kwargs)


class RealManager(models.Manager[_Row]):
    """Leaves out what was injected into real frames: whoever wants that asks for it by name."""

    def get_queryset(self) -> models.QuerySet[_Row]:
        return super().get_queryset().filter(is_injected=False)


class InjectableRecord(SkyRecord):
    """A row that may be of a source that was injected into a real frame, to see how well people review.

    Such a one is no science: its model's `objects` has `RealManager` as base, and never meets it.
    """

    is_injected = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="No science: put into a frame to see who finds it."
    )

    with_injected = SkyQuerySet.as_manager()

    class Meta(SkyRecord.Meta):
        abstract = True
