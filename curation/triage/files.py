"""The files that the page of triage is drawn with: what its script imports, and what that imports."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path, PurePosixPath

from django.contrib.staticfiles import finders

SCRIPT, WORKER = "js/triage.js", "js/triage-worker.js"
# The page that stands in for it where it was never loaded before.
AWAY = "js/away.js"
# Of every page.
_OTHERS = ("css/themes.css", "css/site.css", "icon.svg")
_IMPORTED = re.compile(r"""^import\s[^;]*?["']\./([\w.-]+)["'];""", re.MULTILINE)


@lru_cache(maxsize=1)
def modules() -> tuple[str, ...]:
    """Return the modules of the page by name, its scripts first."""
    return _with_imports(SCRIPT, "js/site.js")


@lru_cache(maxsize=1)
def kept() -> tuple[str, ...]:
    """Return what browsers keep for the time when the server cannot be reached."""
    return (*_OTHERS, *dict.fromkeys((*modules(), *_with_imports(AWAY))))


def content(name: str) -> bytes:
    """Return a file as it is stored."""
    return Path(str(finders.find(name))).read_bytes()


def _with_imports(*names: str) -> tuple[str, ...]:
    found = list(names)
    for name in found:
        folder = PurePosixPath(name).parent
        imported = (str(folder / other) for other in _IMPORTED.findall(content(name).decode()))
        found += [other for other in imported if other not in found]
    return tuple(dict.fromkeys(found))
