"""What a statistic is: a table, a chart of it, and the sentence that says what it counts."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from catalog.cells import defused

Cell = str | int | float | date | None
# A chart shows so many: the table holds all.
_MOST_BARS = 7


@dataclass(frozen=True)
class Column:
    """A column: its name in the CSV, which never changes and holds the unit, and what stands over it on the page."""

    name: str
    title: str


@dataclass(frozen=True)
class Bar:
    """One value of a chart, with the ends of its interval where it is uncertain.

    words : the value as it is read, which stands beside the bar.
    """

    label: str
    value: float
    words: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Placed:
    """A bar in a chart, in per cent of its width."""

    bar: Bar
    length: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Statistic:
    """A table, and what a chart shows of it.

    slug : in the address of the CSV. sentence : what is counted, of which time. notes : what limits it. rows : values
    as the CSV has them. shown : the same as the page has them. bars : all; the chart shows the first. full : what a bar
    of full length is, 1 for shares that are near it; None for the largest that is drawn.
    """

    slug: str
    title: str
    sentence: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    bars: Sequence[Bar] = ()
    notes: Sequence[str] = field(default=())
    full: float | None = None

    @property
    def left_out(self) -> int:
        """Return how many bars there is no room for."""
        return max(len(self.bars) - _MOST_BARS, 0)

    @property
    def placed(self) -> list[Placed]:
        """Return the bars of the chart, from zero to `full`, or to the largest of all that is drawn."""
        drawn = self.bars[:_MOST_BARS]
        ends = [end for bar in drawn for end in (bar.value, bar.high) if end is not None]
        largest = self.full or max(ends, default=0.0) or 1.0

        def place(value: float | None) -> float | None:
            return None if value is None else round(100.0 * value / largest, 2)

        return [Placed(bar, place(bar.value) or 0.0, place(bar.low), place(bar.high)) for bar in drawn]

    @property
    def shown(self) -> list[list[str]]:
        """Return the rows in words."""
        return [[_in_words(value) for value in row] for row in self.rows]

    def csv(self) -> str:
        """Return the table as CSV (RFC 4180); what is not known is empty."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(column.name for column in self.columns)
        writer.writerows([_safe(value) for value in row] for row in self.rows)
        return text.getvalue()


def _in_words(value: Cell) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _safe(value: Cell) -> Cell:
    """Return a text that no spreadsheet takes for a formula."""
    return defused(value) if isinstance(value, str) else value
