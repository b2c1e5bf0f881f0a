"""Every benchmark of the Makefile starts: nothing it imports needs Django before it has set Django up itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

MAKEFILE = Path(__file__).parents[2] / "Makefile"


def test_each_benchmark_can_be_imported_before_django_is_set_up() -> None:
    named = re.findall(r"-m (benchmarks[.\w]+)", MAKEFILE.read_text())
    modules = [f"{name}.__main__" if (MAKEFILE.parent / name.replace(".", "/")).is_dir() else name for name in named]
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    importing = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]"
    run = subprocess.run(
        [sys.executable, "-c", importing, *modules], env=environment, capture_output=True, text=True, check=False
    )
    assert "benchmarks.differencing.__main__" in modules
    assert run.returncode == 0, run.stderr
