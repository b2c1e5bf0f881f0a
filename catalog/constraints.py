"""Database constraints from one declaration each; names say model and field, so a refusal names its cause.

PostgreSQL sorts NaN above every number, so an upper bound refuses NaN and a lower bound alone does not: every bound
here is closed above, by infinity where nothing smaller is meant.
"""

from __future__ import annotations

import math

from django.db.models import CheckConstraint, IntegerChoices, Q, TextChoices


def _check(field: str, kind: str, condition: Q, message: str) -> CheckConstraint:
    return CheckConstraint(
        condition=condition, name=f"%(app_label)s_%(class)s_{field}_{kind}", violation_error_message=message
    )


def one_of(field: str, choices: type[TextChoices | IntegerChoices], *, blank: bool = False) -> CheckConstraint:
    """Allow only the values of `choices`, and "" where blank means unknown; null passes."""
    values = [*([""] if blank else []), *choices.values]
    known = ", ".join(map(str, choices.values))
    return _check(field, "known", Q(**{f"{field}__in": values}), f"{field} must be one of {known}.")


def within(field: str, low: float, high: float) -> CheckConstraint:
    """Allow low ≤ value ≤ high; null passes, NaN does not."""
    condition = Q(**{f"{field}__gte": low, f"{field}__lte": high})
    return _check(field, "range", condition, f"{field} must lie between {low} and {high}.")


def positive(field: str) -> CheckConstraint:
    """Allow 0 < value < infinity; null passes, NaN and infinity do not."""
    condition = Q(**{f"{field}__gt": 0.0, f"{field}__lt": math.inf})
    return _check(field, "positive", condition, f"{field} must be a number above 0.")


def not_negative(field: str) -> CheckConstraint:
    """Allow 0 ≤ value < infinity; null passes, NaN and infinity do not."""
    condition = Q(**{f"{field}__gte": 0.0, f"{field}__lt": math.inf})
    return _check(field, "not_negative", condition, f"{field} must be 0 or a number above it.")


def at_least(field: str, low: int) -> CheckConstraint:
    """Allow whole numbers from `low` up (integer columns hold neither NaN nor infinity); null passes."""
    return _check(field, "least", Q(**{f"{field}__gte": low}), f"{field} must be at least {low}.")


def finite(field: str) -> CheckConstraint:
    """Allow any number; null passes, NaN and the infinities do not."""
    condition = Q(**{f"{field}__gt": -math.inf, f"{field}__lt": math.inf})
    return _check(field, "finite", condition, f"{field} must be a finite number.")


def right_ascension(field: str = "ra") -> CheckConstraint:
    """Allow 0 ≤ value < 360."""
    condition = Q(**{f"{field}__gte": 0.0, f"{field}__lt": 360.0})
    return _check(field, "range", condition, f"{field} must lie in [0, 360) degrees.")


def declination(field: str = "dec") -> CheckConstraint:
    """Allow −90 ≤ value ≤ 90."""
    return within(field, -90.0, 90.0)


def only_imported_lack(condition: Q, *fields: str) -> CheckConstraint:
    """Allow null in `fields` where `condition` holds: of what came with another survey's alert."""
    known = Q(**{f"{field}__isnull": False for field in fields})
    return _check("imported", "lacks", condition | known, f"Only what was imported lacks {', '.join(fields)}.")


def reason_when_failed() -> CheckConstraint:
    """Refuse a failure without code and sentence."""
    condition = ~Q(status="failed") | (~Q(failure_code="") & ~Q(error_message=""))
    return _check("status", "reason", condition, "What failed needs a failure_code and an error_message.")


def no_reason_when_completed() -> CheckConstraint:
    """Refuse a completed row that still carries the code of an earlier try."""
    condition = ~Q(status="completed") | Q(failure_code="")
    return _check("status", "clean", condition, "What completed carries no failure_code.")
