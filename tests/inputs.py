"""Whether public numerics leave the arrays that they are given as they were: a watch that tests put over them."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

_IMPORTERS = ("observations", "preprocessing", "differencing", "detection", "tests")


def modules_of(room: str) -> Iterator[ModuleType]:
    package = importlib.import_module(room)
    for found in pkgutil.walk_packages(package.__path__, f"{room}."):
        yield importlib.import_module(found.name)


def public_numerics(*rooms: str) -> dict[str, Callable[..., Any]]:
    """Return every public function of these rooms by its full name."""
    return {
        f"{module.__name__}.{name}": function
        for room in rooms
        for module in modules_of(room)
        for name, function in vars(module).items()
        if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_")
    }


def arrays_in(value: object, path: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Yield the arrays in a value, in depth, each with where it lies."""
    if isinstance(value, np.ndarray):
        yield path, value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from arrays_in(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, tuple | list):
        for number, item in enumerate(value):
            yield from arrays_in(item, f"{path}[{number}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from arrays_in(item, f"{path}[{key}]")


class Watch:
    """Stands in for public numerics; notes which were called and which of them wrote to what they were given."""

    def __init__(self) -> None:
        self.called: set[str] = set()
        self.written: set[str] = set()

    def over(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def watched(*args: Any, **options: Any) -> Any:
            given = list(arrays_in([*args, options]))
            before = [array.copy() for _, array in given]
            try:
                return function(*args, **options)
            finally:
                self.called.add(name)
                for (path, array), copy in zip(given, before, strict=True):
                    if not np.array_equal(array, copy, equal_nan=array.dtype.kind in "fc"):
                        self.written.add(f"{name}: {path}")

        return watched


def watch_over(patch: pytest.MonkeyPatch, *rooms: str) -> Watch:
    """Put a watch over every public numeric of these rooms, wherever it has been imported."""
    kept, originals = Watch(), public_numerics(*rooms)
    watched = {id(function): kept.over(name, function) for name, function in originals.items()}
    for module in list(sys.modules.values()):
        if module.__name__.split(".")[0] in _IMPORTERS:
            for name, value in list(vars(module).items()):
                if inspect.isfunction(value) and id(value) in watched:
                    patch.setattr(module, name, watched[id(value)])
    return kept
