"""The web server that a benchmark has started."""

from __future__ import annotations

import psutil


def processor_of_server() -> float:
    """Return what it has cost the processor so far, in seconds."""
    [server] = [one for one in psutil.Process().children(recursive=True) if "uvicorn" in one.cmdline()]
    used = [one.cpu_times() for one in (server, *server.children(recursive=True))]
    return float(sum(one.user + one.system for one in used))
