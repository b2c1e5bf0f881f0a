"""What a configuration key is: a name, a type, bounds, a default, and the sentence that explains it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.core.exceptions import ValidationError

ConfigValue = bool | int | float | str
# What is told of secrets.
SET, NOT_SET = "set", "not set"
LONGEST_SECRET = 500


class ConfigRefused(ValueError):
    """A key or a value is not acceptable; the text says why."""

    def as_validation_error(self) -> ValidationError:
        return ValidationError(str(self))


@dataclass(frozen=True)
class ConfigKey:
    """One declared key; the type of the default is the type of the value. The unit is part of the name.

    is_science : whether it changes what becomes science, so that a change says why. is_secret : written and never read
    back; a text. longest : of a free text, its characters.
    """

    name: str
    default: ConfigValue
    explanation: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    is_science: bool = True
    is_secret: bool = False
    longest: int = 0

    def told(self, value: object) -> object:
        """Return what may be shown of a value: of a secret only whether there is one."""
        return value if not self.is_secret else SET if value else NOT_SET

    def checked(self, value: object) -> ConfigValue:
        """Return the value in the declared type, or refuse it with a reason."""
        if self.is_secret:
            return self._checked_secret(value)
        if isinstance(self.default, bool):
            return self._checked_bool(value)
        if isinstance(self.default, str):
            return self._checked_text(value)
        return self._checked_number(value)

    def _checked_bool(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ConfigRefused(f"{self.name} must be true or false, not {value!r}.")
        return value

    def _checked_secret(self, value: object) -> str:
        # The reason repeats nothing of it.
        if not isinstance(value, str) or len(value) > LONGEST_SECRET or not value.isprintable():
            raise ConfigRefused(f"{self.name} must be a text of at most {LONGEST_SECRET} printable characters.")
        return value

    def _checked_text(self, value: object) -> str:
        if self.longest:
            if not isinstance(value, str) or len(value) > self.longest or not (value.isprintable() or not value):
                raise ConfigRefused(f"{self.name} must be a text of at most {self.longest} printable characters.")
            return value.strip()
        if not isinstance(value, str) or value not in self.choices:
            raise ConfigRefused(f"{self.name} must be one of {', '.join(self.choices)}, not {value!r}.")
        return value

    def _checked_number(self, value: object) -> int | float:
        whole = isinstance(self.default, int)
        # bool is a subclass of int, and true is no number of pixels.
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ConfigRefused(f"{self.name} must be a number, not {value!r}.")
        if whole and value != int(value):
            raise ConfigRefused(f"{self.name} must be a whole number, not {value!r}.")
        if self.minimum is not None and value < self.minimum:
            raise ConfigRefused(f"{self.name} must be at least {self.minimum:g}, not {value!r}.")
        if self.maximum is not None and value > self.maximum:
            raise ConfigRefused(f"{self.name} must be at most {self.maximum:g}, not {value!r}.")
        return int(value) if whole else float(value)
