"""Where a benchmark works."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def kept_or_passing(kept: Path | None) -> Iterator[Path]:
    """Give a folder that is kept, made where it lacks, or one of its own for the block, which servers may enter."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="astrid-bench-") as root:
        Path(root).chmod(0o755)
        yield Path(root)
