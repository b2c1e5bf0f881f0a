"""What no module of the project does, wherever it stands: each rule reads one module and yields its faults.

`tests.architecture` holds the tables of who may import whom; what an import does not show is found here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Protocol

# Whoever imports these draws pixels or computes; pages get what a service or a stage made of them.
ARRAY_LIBRARIES = frozenset({"numpy", "astropy", "scipy", "sep", "matplotlib", "torch", "photutils", "numba"})
# Where Celery may be met: its application, and the doors of the tasks.
KNOWS_CELERY = frozenset({"tasks", "site"})
_RELATIONS = frozenset({"ForeignKey", "OneToOneField", "ManyToManyField"})
_LOOKUP = re.compile(r"-?[a-z_]+(__[a-z0-9_]+)+")
# Keywords that are words of other trades as well; a header is read by none of them alone.
_COMMON_WORDS = frozenset(
    {"RA", "DEC", "UT", "UTC", "JD", "MJD", "HA", "RON", "BAND", "SCALE", "FRAME", "FIELD", "OBJECT"}
)


class Source(Protocol):
    """What a rule needs of a module."""

    name: str

    @property
    def app(self) -> str: ...
    @property
    def room(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def tree(self) -> ast.Module: ...


def faults_of(module: Source) -> Iterator[str]:
    """Yield what this module does against the rules that need no other module."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            yield from _call_faults(module, node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from _library_faults(module, node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _function_faults(module, node)


def _place(module: Source, node: ast.AST) -> str:
    return f"{module.name}:{getattr(node, 'lineno', 1)}"


def _last_name(expression: ast.expr) -> str:
    return expression.attr if isinstance(expression, ast.Attribute) else getattr(expression, "id", "")


def _call_faults(module: Source, call: ast.Call) -> Iterator[str]:
    name = _last_name(call.func)
    if name == "suppress" and {_last_name(kind) for kind in call.args} & {"Exception", "BaseException"}:
        yield f"{_place(module, call)}: suppresses everything"
    if name in {"send_task", "apply_async", "delay"} and module.room not in KNOWS_CELERY:
        yield f"{_place(module, call)}: {module.room} send a message to the broker"


def _library_faults(module: Source, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    for name in names:
        top = name.split(".")[0]
        if top == "celery" and module.room not in KNOWS_CELERY:
            yield f"{_place(module, node)}: {module.room} know of Celery"
        if top in ARRAY_LIBRARIES and module.room == "web":
            yield f"{_place(module, node)}: a page works on arrays: {top}"
        if name.startswith("django.db.models.signals"):
            yield f"{_place(module, node)}: behaviour hidden in signals of models"
        if name == "astropy.io" and isinstance(node, ast.ImportFrom) and not _is_fits_room(module):
            if "fits" in {alias.name for alias in node.names}:
                yield f"{_place(module, node)}: reads FITS outside observations.numerics.fits"
        elif name.startswith("astropy.io.fits") and not _is_fits_room(module):
            yield f"{_place(module, node)}: reads FITS outside observations.numerics.fits"


def _is_fits_room(module: Source) -> bool:
    return module.name.startswith("observations.numerics.fits")


def _function_faults(module: Source, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Find what decorates or happens in one function: receivers in models, modules whose name is put together."""
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if _last_name(called) == "receiver" and module.room in {"models", "services", "stage", "numerics"}:
            yield f"{_place(module, function)}: behaviour hidden in a signal's receiver"
    built = {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and _is_built(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and _last_name(node.func) in {"import_string", "import_module", "__import__"}:
            first = node.args[0] if node.args else None
            if first is not None and (_is_built(first) or getattr(first, "id", None) in built):
                yield f"{_place(module, node)}: imports by a name that is put together"


def _is_built(expression: ast.expr) -> bool:
    """Tell whether a text is put together here: by an f-string, a sum, a format or a join."""
    if isinstance(expression, ast.JoinedStr | ast.BinOp):
        return True
    return isinstance(expression, ast.Call) and _last_name(expression.func) in {"format", "join", "replace"}


# --- Header keywords ---


@cache
def header_keywords(table: Path) -> frozenset[str]:
    """Return the keywords in the one table of them, but for those that are words of other trades."""
    tree = ast.parse(table.read_text()) if table.exists() else ast.Module([], [])
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return frozenset(text for text in texts if re.fullmatch(r"[A-Z][A-Z0-9_ -]+", text)) - _COMMON_WORDS


def keyword_faults(module: Source, keywords: frozenset[str]) -> Iterator[str]:
    """Yield header keywords that stand outside the rooms that know FITS."""
    if _is_fits_room(module):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in keywords:
            yield f"{_place(module, node)}: the header keyword {node.value} outside observations.numerics.fits"


# --- Relations that climb ---


def climbing_names(modules: Iterable[Source], line: tuple[str, ...]) -> dict[str, int]:
    """Return the names by which earlier models reach rows of later apps, each with that app's place in the line."""
    climbing: dict[str, int] = {}
    fields: set[str] = set()
    for module in modules:
        if module.room != "models" or module.app not in line:
            continue
        for model in (node for node in module.tree.body if isinstance(node, ast.ClassDef)):
            for name, call in _fields_of(model):
                fields.add(name)
                if _last_name(call.func) in _RELATIONS and _points_outside(module, call):
                    climbing[_reverse_name(model, call)] = line.index(module.app)
    return {name: place for name, place in climbing.items() if name not in fields and name != "+"}


def _fields_of(model: ast.ClassDef) -> Iterator[tuple[str, ast.Call]]:
    for node in model.body:
        target = (
            node.target
            if isinstance(node, ast.AnnAssign)
            else node.targets[0]
            if isinstance(node, ast.Assign)
            else None
        )
        value = node.value if isinstance(node, ast.AnnAssign | ast.Assign) else None
        if isinstance(target, ast.Name) and isinstance(value, ast.Call):
            yield target.id, value


def _points_outside(module: Source, call: ast.Call) -> bool:
    """Tell whether a relation points at a model that its own module does not define."""
    own = {node.name for node in module.tree.body if isinstance(node, ast.ClassDef)}
    target = call.args[0] if call.args else None
    if isinstance(target, ast.Constant):
        return str(target.value).split(".")[-1] not in {*own, "self"}
    return target is not None and _last_name(target) not in own


def _reverse_name(model: ast.ClassDef, call: ast.Call) -> str:
    for keyword in call.keywords:
        if keyword.arg == "related_name" and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value)
    return model.name.lower()


def climbing_faults(module: Source, names: Mapping[str, int], line: tuple[str, ...]) -> Iterator[str]:
    """Yield filter strings that walk from an app to a later one."""
    own = line.index(module.app)
    for node in ast.walk(module.tree):
        texts: list[str] = []
        if isinstance(node, ast.Call):
            texts = [keyword.arg for keyword in node.keywords if keyword.arg]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts = [node.value]
        for text in filter(_LOOKUP.fullmatch, texts):
            for part in text.lstrip("-").split("__"):
                if names.get(part, own) < own:
                    yield f"{_place(module, node)}: {text} climbs to {line[names[part]]}"
