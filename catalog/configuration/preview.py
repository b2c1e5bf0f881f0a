"""A change before it is done: what becomes different, what the past tells of it, and what it concerns from when on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.utils.module_loading import import_string

from catalog.configuration.changes import Plan
from catalog.configuration.groups import group_of


@dataclass(frozen=True)
class Hindsight:
    """What kept products tell of a change of some keys, in a sentence."""

    keys: frozenset[str]
    sentence: str


@dataclass(frozen=True)
class Preview:
    """A plan with what can be told of it; `untold` are the keys of which the past tells nothing."""

    plan: Plan
    told: tuple[Hindsight, ...]
    untold: tuple[str, ...]
    concerns: tuple[str, ...]


def preview(plan: Plan) -> Preview:
    """Return what can be told of a plan; only apps that know the products can, so the settings name who is asked."""
    ask: Callable[[Plan], list[Hindsight]] = import_string(settings.CONFIG_HINDSIGHT)
    told = tuple(ask(plan)) if plan.changes else ()
    known = frozenset[str]().union(*(one.keys for one in told))
    names = [change.key.name for change in plan.changes]
    return Preview(
        plan,
        told,
        tuple(name for name in names if name not in known),
        tuple(dict.fromkeys(group_of(name).concerns for name in names)),
    )
