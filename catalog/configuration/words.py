"""Values of the configuration, and what a key takes, in words; secrets never."""

from __future__ import annotations

from catalog.configuration.keys import ConfigKey


def shown(value: object) -> str:
    """Return a value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def shown_of(key: ConfigKey, value: object) -> str:
    """Return what may be shown of a key's value, as people write it."""
    return shown(key.told(value))


def bounds(key: ConfigKey) -> str:
    """Return in words what values a key takes."""
    if key.is_secret:
        return "text"
    if key.choices:
        return ", ".join(key.choices)
    if key.longest:
        return f"text of at most {key.longest} characters"
    if isinstance(key.default, bool):
        return "yes or no"
    kind = "whole number" if isinstance(key.default, int) else "number"
    low, high = (None if bound is None else shown(float(bound)) for bound in (key.minimum, key.maximum))
    if low is not None and high is not None:
        return f"{kind}, {low} to {high}"
    return kind if low is high is None else f"{kind}, {f'at least {low}' if low is not None else f'at most {high}'}"
