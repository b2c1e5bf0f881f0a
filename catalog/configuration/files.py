"""The configuration as a file: TOML or JSON, "key" = value, without secrets; refused with every reason at once."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping

from catalog.configuration.changes import OF_ALL, ChangeRefused
from catalog.configuration.keys import DECLARED, ConfigValue
from catalog.models import SystemConfig

FORMATS = ("toml", "json")
LONGEST_FILE = 1_000_000
# Keys of other versions may be missing here, and new ones there.
_HEAD = "# AstrID's configuration. A key that is not named keeps the value that it has. Secrets are not in it.\n"


def written(kind: str, *, everything: bool = False) -> str:
    """Return a file of what differs from the defaults, or of all keys; of secrets nothing."""
    stored = dict(SystemConfig.objects.filter(is_active=True, key__in=DECLARED).values_list("key", "value"))
    named = {
        name: stored.get(name, key.default)
        for name, key in DECLARED.items()
        if not key.is_secret and (everything or name in stored)
    }
    if kind == "json":
        return json.dumps(named, indent=2, ensure_ascii=False) + "\n"
    return _HEAD + "".join(f'"{name}" = {_toml(value)}\n' for name, value in named.items())


def read(text: str) -> dict[str, object]:
    """Return the values of a file, by key; raises ChangeRefused for what is neither TOML nor JSON, or names a secret.

    Groups may be tables: "a.b" = 1 and [a] with b = 1 are the same.
    """
    if len(text) > LONGEST_FILE:
        raise ChangeRefused({OF_ALL: f"A configuration file has at most {LONGEST_FILE} characters."})
    found = _flat(_parsed(text))
    if not found:
        raise ChangeRefused({OF_ALL: "The file names no key."})
    secret = {
        name: f"{name} is secret: set it on its page, not by a file."
        for name in found
        if name in DECLARED and DECLARED[name].is_secret
    }
    if secret:
        raise ChangeRefused(secret)
    return found


def _parsed(text: str) -> Mapping[str, object]:
    bare = text.removeprefix("\ufeff")
    try:
        found = json.loads(bare) if bare.lstrip().startswith("{") else tomllib.loads(bare)
    # Depth without end is a kind of bad file too.
    except (ValueError, RecursionError) as error:
        raise ChangeRefused({OF_ALL: f"This is neither TOML nor JSON: {error}"[:300]}) from error
    return found if isinstance(found, dict) else {}


def _flat(values: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def _toml(value: ConfigValue) -> str:
    # Booleans, numbers and strings without control characters are written alike in JSON and TOML.
    return json.dumps(value, ensure_ascii=False)
