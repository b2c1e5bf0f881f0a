"""How pages write what astronomers read: positions, times, states and numbers."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.counting import counted
from catalog.failures import ADVICE
from catalog.models import JobAttempt, ProcessingJob
from catalog.states import kind_of
from catalog.writing import MISSING, duration, number, sexagesimal_dec, sexagesimal_ra, signed, utc


class Placed(Protocol):
    """What has a position, ICRS degrees."""

    ra: float
    dec: float


register = template.Library()
for _filter in (counted, duration, number, sexagesimal_dec, sexagesimal_ra, signed, utc):
    register.filter(_filter)


@register.filter
def ago(value: datetime | None) -> str:
    """Return how long ago something was, in one unit."""
    if value is None:
        return MISSING
    seconds = (timezone.now() - value).total_seconds()
    if seconds < 0:
        return f"in {duration(-seconds)}"
    return f"{duration(seconds)} ago"


@register.simple_tag
def state(value: str, label: str = "") -> SafeString:
    """Return a state as a word with a sign, so that its colour is never alone."""
    return format_html('<span class="state {}">{}</span>', kind_of(value), label or value.replace("_", " "))


@register.simple_tag
def position(row: Placed, form: str = "sexagesimal") -> SafeString:
    """Return the row's position, "sexagesimal" or in "degrees"; a press copies what is written."""
    sexagesimal = f"{sexagesimal_ra(row.ra)} {sexagesimal_dec(row.dec)}"
    degrees = f"{row.ra:.6f} {row.dec:+.6f}"
    shown, other = (sexagesimal, degrees) if form == "sexagesimal" else (degrees, sexagesimal)
    # Programs that read it know no sign but that of ASCII.
    return format_html(
        '<button type="button" class="position" data-copy="{}" data-copy-as="in {}" title="ICRS; {}: click to copy {}">'
        "{}</button>",
        shown.replace("−", "-"), form, other, form, shown,
    )  # fmt: skip


@register.filter
def words(value: str) -> str:
    """Return a name that programs use as people write it: "real_in_reference_only" with spaces."""
    return value.replace("_", " ")


@register.filter
def theme_title(name: str) -> str:
    """Return what a theme is called."""
    return {"night": "Red night"}.get(name, name.capitalize())


@register.filter
def legible(value: object) -> str:
    """Return text from headers and people with what cannot be seen made visible: control and direction characters.

    Left as they are they would hide words, or turn the order of what stands around them.
    """
    text = str(value)
    if text.isprintable():
        return text
    return "".join(one if _is_plain(one) else f"⟨U+{ord(one):04X}⟩" for one in text)


def _is_plain(character: str) -> bool:
    return character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")


@register.filter
def share(value: float | None) -> str:
    """Return a share of one in per cent."""
    return MISSING if value is None else f"{100 * value:.0f} %"


@register.filter
def per_cent(value: float | None) -> str:
    """Return a share of one in per cent, with two digits down to a hundredth of a per cent."""
    if value is None:
        return MISSING
    if 0.0 < value < 5e-5:
        return "under 0.01 %"
    return f"{100.0 * value:.0f} %" if value >= 0.0995 else f"{100.0 * value:.2g} %"


@register.filter
def unit(text: str, suffix: str) -> str:
    """Return a number with its unit, and the dash for a missing one without."""
    return text if text == MISSING else f"{text}{suffix}"


@register.filter
def each(rows: Iterable[object], name: str) -> list[object]:
    """Return one attribute of every row."""
    return [getattr(row, name) for row in rows]


@register.simple_tag
def linked(text: object, url: str | None) -> str:
    """Return a text as a link, and as it is where it has no page."""
    return format_html('<a href="{}">{}</a>', url, text) if url else str(text)


@register.filter
def percent(value: float) -> str:
    """Return a place in a drawing, "37.5%", as SVG reads it."""
    return f"{value:g}%"


@register.filter
def tip(direction: float, length: float = 6.0) -> str:
    """Return how far an arrow of some length reaches along one axis."""
    return f"{direction * length:.2f}"


@register.filter
def seconds_taken(row: JobAttempt | ProcessingJob) -> str:
    """Return how long a job or a try took, a dash while it has not ended."""
    ended = row.ended_at if isinstance(row, JobAttempt) else row.completed_at
    return MISSING if ended is None or row.started_at is None else f"{(ended - row.started_at).total_seconds():.1f} s"


@register.filter
def advice(failure_code: str) -> str:
    """Return what to do after a failure whose own sentence says only what happened; "" after others."""
    return ADVICE.get(failure_code, "")


@register.filter
def value_text(value: object) -> str:
    """Return a value of a stored document as people read it: text as it is, lists and numbers as they were written."""
    if value is None or value == "":
        return MISSING
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


@register.filter
def pretty_json(value: object) -> str:
    """Write a value as JSON over several lines."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)
