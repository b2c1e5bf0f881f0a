"""Which configuration keys a piece of code names."""

from __future__ import annotations

import ast
import inspect
from types import ModuleType

from catalog.configuration.keys import DECLARED


def keys_named_in(*modules: ModuleType, outside: str = "READS") -> set[str]:
    """Return the declared keys that stand as text in these modules, but for the list of them itself."""
    found: set[str] = set()
    for module in modules:
        for statement in ast.parse(inspect.getsource(module)).body:
            names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
            if not (isinstance(statement, ast.Assign) and outside in names):
                found |= {
                    node.value for node in ast.walk(statement) if isinstance(node, ast.Constant)
                } & DECLARED.keys()
    return found
