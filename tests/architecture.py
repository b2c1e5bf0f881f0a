"""Reads the project's source with `ast` and reports what breaks the rules of the house.

The line of apps, the rooms and what each room may import are the tables below; docs and code change together with them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests import never

# Imports go down this line only.
LINE = ("astrid_site", "curation", "detection", "differencing", "preprocessing", "observations", "catalog")
# The room of a module follows from its path: the first folder or, at the end, the file's name that stands here decides.
ROOM_OF_FOLDER = {
    "numerics": "numerics", "models": "models", "stage": "stage", "web": "web", "templatetags": "web", "admin": "web",
    "keys": "models",
}  # fmt: skip
ROOM_OF_FILE = {
    **dict.fromkeys(
        (
            "models",
            "records",
            "hiding",
            "sky",
            "positions",
            "constraints",
            "failures",
            "roles",
            "ids",
            "key",
            "keys",
            "lookups",
            "flags",
        ),
        "models",
    ),
    **dict.fromkeys(("views", "api", "filters", "forms", "urls", "admin"), "web"),
    "stage": "stage",
    "tasks": "tasks",
    "apps": "apps",
}
# Rooms of catalog that others name one by one.
ROOM_IN_CATALOG = {
    "catalog.work": "work", "catalog.files": "files", "catalog.configuration": "configuration",
    "catalog.people.audit": "audit",
}  # fmt: skip
CATALOG_ROOMS = frozenset(ROOM_IN_CATALOG.values())
MAY_IMPORT = {
    "numerics": {"numerics"},
    "models": {"models", "healpix"},
    "services": {"numerics", "models", "services", *CATALOG_ROOMS},
    "stage": {"numerics", "models", "services", *CATALOG_ROOMS},
    "tasks": {"services", "stage", "work"},
    "web": {"models", "services", "web", "configuration", "files", "work"},
    "commands": {"models", "services", "stage", *CATALOG_ROOMS},
    **{room: {"models", *CATALOG_ROOMS} for room in CATALOG_ROOMS},
    "apps": set(),
}
# catalog's pages show and change what its own rooms keep; the pages of other apps go through services.
CATALOG_WEB = {*MAY_IMPORT["web"], "audit"}
# A room that is split into several files of one app is still one room.
MAY_SPLIT = frozenset({"stage", "tasks"})
# None of these may reach torch, by whatever way round.
WITHOUT_TORCH = frozenset({"models", "services", "web", "apps", *CATALOG_ROOMS})
# What a web process loads with its pages and rows; none of it may reach what only the work on pixels needs.
IN_WEB_PROCESS = frozenset({"models", "web", "apps"})
HEAVY = frozenset(
    {"torch", "scipy", "numba", "matplotlib", "sep", "assist", "rebound", "fastavro", "pyarrow", "cramjam", "pyvo"}
)
NOT_IN_NUMERICS = frozenset({"django", "celery", "rest_framework", "django_filters", "environ", "random", "time"})
# What takes seconds to load, and is loaded when it is needed; no circle is escaped by that.
LOADED_LATE = frozenset({"astrid_site.night.demonstration"})
CLOCKS = frozenset({"now", "utcnow", "today"})
SEEDED_RANDOM = frozenset({"Generator", "SeedSequence", "default_rng", "PCG64", "Philox", "BitGenerator"})
FORBIDDEN_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "misc"})
MOST_LINES_IN_A_FILE = 400
# Longest body and longest 90th percentile, in lines without the docstring.
NUMERICS_LINES = (60, 35)
OTHER_LINES = (50, 30)
# Longer lines of a template hide branches that are a view's or a tag's work.
LONGEST_TEMPLATE_LINE = 140


@dataclass(frozen=True)
class Import:
    """One import of a module: where it stands and what it names."""

    target: str
    line: int
    is_in_function: bool


@dataclass(frozen=True)
class Module:
    """One file of the project, read once."""

    name: str
    path: Path

    @property
    def app(self) -> str:
        return self.name.split(".")[0]

    @property
    def room(self) -> str:
        """Return the room, "site" for everything in astrid_site."""
        app, *parts = self.name.split(".")
        if app == "astrid_site":
            return "site"
        return _room_by_path(app, parts)

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=str(self.path))

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(_imports(self.tree, is_in_function=False))


def _room_by_path(app: str, parts: list[str]) -> str:
    """Return the room of a module of an app, by its path inside the app."""
    if parts[:2] == ["management", "commands"]:
        return "commands"
    for part in parts[:-1]:
        if part in ROOM_OF_FOLDER:
            return ROOM_OF_FOLDER[part]
    last = parts[-1] if parts else "apps"
    if last in ROOM_OF_FOLDER or last in ROOM_OF_FILE:
        return {**ROOM_OF_FOLDER, **ROOM_OF_FILE}[last]
    for prefix, room in ROOM_IN_CATALOG.items():
        if f"{app}.{'.'.join(parts)}.".startswith(f"{prefix}."):
            return room
    return "services"


class House:
    """All modules of the apps under `root`, by name."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.modules = {module.name: module for module in _modules(root)}

    def module_of(self, target: str) -> Module | None:
        """Return the project's module that `target` names: itself, or the one that holds the imported name."""
        parent = target.rpartition(".")[0]
        return self.modules.get(target) or self.modules.get(parent)

    def faults(self) -> list[str]:
        """Return every broken rule as "module:line: what is wrong"."""
        found: list[str] = []
        keywords = never.header_keywords(self.root / "observations" / "numerics" / "fits" / "keywords.py")
        climbing = never.climbing_names(self.modules.values(), LINE)
        for module in self.modules.values():
            found += _import_faults(self, module)
            found += _source_faults(module)
            found += never.faults_of(module)
            found += never.keyword_faults(module, keywords)
            found += never.climbing_faults(module, climbing, LINE)
        found += _template_faults(self.root / "templates")
        return sorted([*found, *_weight_faults(self), *_length_faults(self.modules.values())])

    def reaches(self, start: Module, libraries: frozenset[str]) -> list[str] | None:
        """Return the chain of modules by which loading `start` loads one of the libraries, or None."""
        chains, seen = [[start.name]], {start.name}
        while chains:
            chain = chains.pop()
            for entry in self.modules[chain[-1]].imports:
                top = entry.target.split(".")[0]
                if top in libraries and not entry.is_in_function:
                    return [*chain, top]
                target = self.module_of(entry.target)
                if target and target.name not in seen and not entry.is_in_function:
                    seen.add(target.name)
                    chains.append([*chain, target.name])
        return None


def _modules(root: Path) -> Iterator[Module]:
    for app in LINE:
        for path in sorted((root / app).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            if "migrations" not in parts:
                yield Module(".".join(part for part in parts if part != "__init__"), path)


def _imports(node: ast.AST, *, is_in_function: bool) -> Iterator[Import]:
    """Yield imports, and what does the work of one: a module or model named in a string."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, is_in_function) for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and not child.level:
            targets = (f"{child.module}.{alias.name}" for alias in child.names)
            yield from (Import(target, child.lineno, is_in_function) for target in targets)
        elif isinstance(child, ast.Call) and (named := _named_in_string(child)):
            yield Import(named, child.lineno, is_in_function)
        # What only names types is never loaded.
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or _is_for_types(child)
        yield from _imports(child, is_in_function=is_in_function or is_function)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _named_in_string(call: ast.Call) -> str | None:
    """Return the module that a call imports, or the models that it points at, by a literal string."""
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    literals = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    first = next((value for value in literals if isinstance(value, str)), "")
    if function in {"import_module", "__import__", "import_string"}:
        return first or None
    if function in {"ForeignKey", "OneToOneField", "ManyToManyField", "get_model"}:
        app = first.split(".")[0]
        return f"{app}.models" if app in LINE else None
    return None


def _import_faults(house: House, module: Module) -> Iterator[str]:
    for entry in module.imports:
        place = f"{module.name}:{entry.line}"
        top = entry.target.split(".")[0]
        if module.room == "numerics" and top in NOT_IN_NUMERICS:
            yield f"{place}: numerics imports {top}"
        if top not in LINE:
            continue
        if entry.is_in_function and entry.target not in LOADED_LATE:
            yield f"{place}: {entry.target} is imported inside a function"
        if LINE.index(top) < LINE.index(module.app):
            yield f"{place}: {module.app} imports {top}, which comes later in the line"
        elif not _may_import(house, module, entry.target):
            yield f"{place}: {module.room} may not import {entry.target}"


def _may_import(house: House, module: Module, target: str) -> bool:
    room = module.room
    imported = house.module_of(target)
    if room == "site" or imported is None:
        return True  # The site joins everything.
    if imported.name == "observations.numerics.healpix" and "healpix" in MAY_IMPORT[room]:
        return True
    if room in MAY_SPLIT and imported.room == room and imported.app == module.app:
        return True
    allowed = CATALOG_WEB if room == "web" and module.app == "catalog" else MAY_IMPORT[room]
    return imported.room in allowed


def _weight_faults(house: House) -> Iterator[str]:
    for module in house.modules.values():
        heavy = HEAVY if module.room in IN_WEB_PROCESS else frozenset({"torch"})
        if module.room in WITHOUT_TORCH and (chain := house.reaches(module, heavy)):
            yield f"{module.name}:1: loads {chain[-1]}: {' -> '.join(chain)}"


def _source_faults(module: Module) -> Iterator[str]:
    lines = module.text.splitlines()
    if len(lines) > MOST_LINES_IN_A_FILE:
        yield f"{module.name}:1: {len(lines)} lines, more than {MOST_LINES_IN_A_FILE}"
    if FORBIDDEN_NAMES & set(module.name.split(".")):
        yield f"{module.name}:1: a name that says nothing"
    for node in ast.walk(module.tree):
        place = f"{module.name}:{getattr(node, 'lineno', 1)}"
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"{place}: relative import"
        elif isinstance(node, ast.ExceptHandler):
            yield from _handler_faults(module, node, lines)
        elif isinstance(node, ast.Attribute) and module.room == "numerics":
            yield from _numerics_faults(place, node)
        elif isinstance(node, ast.Call) and module.room == "numerics":
            if ast.unparse(node.func).endswith("default_rng") and not node.args and not node.keywords:
                yield f"{place}: random numbers without a seed"
        elif isinstance(node, ast.ClassDef) and module.room == "models":
            hooks = [item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "save"]
            hidden = (hook for hook in hooks if not _only_refuses(hook))
            yield from (f"{module.name}:{hook.lineno}: behaviour hidden in save()" for hook in hidden)


def _handler_faults(module: Module, handler: ast.ExceptHandler, lines: list[str]) -> Iterator[str]:
    place = f"{module.name}:{handler.lineno}"
    caught = {ast.unparse(kind) for kind in _caught(handler)}
    ends_in_raise = isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None
    is_wide = not caught or "BaseException" in caught
    if module.name != "catalog.work.jobs" and ("Exception" in caught or (is_wide and not ends_in_raise)):
        yield f"{place}: catches everything; only catalog.work.jobs may"
    first = handler.body[0]
    if isinstance(first, ast.Pass) and len(handler.body) == 1 and "#" not in lines[first.lineno - 1]:
        yield f"{place}: an error passed over in silence"


def _caught(handler: ast.ExceptHandler) -> list[ast.expr]:
    if handler.type is None:
        return []
    return handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]


def _numerics_faults(place: str, node: ast.Attribute) -> Iterator[str]:
    if node.attr in CLOCKS:
        yield f"{place}: numerics reads the clock"
    if ast.unparse(node.value) in {"np.random", "numpy.random"} and node.attr not in SEEDED_RANDOM:
        yield f"{place}: numerics uses the global random state"


def _only_refuses(save: ast.FunctionDef) -> bool:
    """Say whether a save() may raise and save, but changes no row and calls nothing for its effect."""
    effects = [ast.unparse(node.value) for node in ast.walk(save) if isinstance(node, ast.Expr)]
    stores = any(isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) for node in ast.walk(save))
    allowed = ("super().save(", "'", '"')
    return not stores and all(effect.startswith(allowed) for effect in effects)


def _length_faults(modules: Iterable[Module]) -> Iterator[str]:
    lengths: dict[bool, list[int]] = {True: [], False: []}
    for module in modules:
        is_numerics = module.room == "numerics"
        longest, _ = NUMERICS_LINES if is_numerics else OTHER_LINES
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lengths[is_numerics].append(_body_lines(node))
                if lengths[is_numerics][-1] > longest:
                    yield f"{module.name}:{node.lineno}: {node.name} has {lengths[is_numerics][-1]} lines > {longest}"
    for is_numerics, (_, limit) in ((True, NUMERICS_LINES), (False, OTHER_LINES)):
        ordered = sorted(lengths[is_numerics])
        if ordered and ordered[int(0.9 * (len(ordered) - 1))] > limit:
            yield f"{'numerics' if is_numerics else 'project'}:1: a tenth of its bodies is over {limit} lines"


def _template_faults(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.html")):
        name = path.relative_to(folder).as_posix()
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if len(line) > LONGEST_TEMPLATE_LINE:
                yield f"templates/{name}:{number}: {len(line)} characters > {LONGEST_TEMPLATE_LINE}"
            if any(line.rfind(begin) > line.rfind(end) for begin, end in (("{{", "}}"), ("{%", "%}"))):
                yield f"templates/{name}:{number}: a tag goes on in the next line, where it is plain text"


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of the body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
