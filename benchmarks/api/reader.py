"""A reader of the feed that may be killed at any time: what it has and how far it is are kept together.

`python -m benchmarks.api.reader ADDRESS TOKEN DATABASE`
"""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

import httpx


def begin_at(database: Path, since: str) -> None:
    """Make what a reader keeps, with the cursor that it begins at."""
    with sqlite3.connect(database) as kept:
        kept.execute("CREATE TABLE seen (number INTEGER PRIMARY KEY, sequence INTEGER, since TEXT)")
        kept.execute("INSERT INTO seen (since) VALUES (?)", [since])


def main(address: str, token: str, database: str) -> None:
    kept = sqlite3.connect(database, timeout=30)
    kept.execute(
        "CREATE TABLE IF NOT EXISTS seen (number INTEGER PRIMARY KEY AUTOINCREMENT, sequence INTEGER, since TEXT)"
    )
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=90) as client:
        while True:
            row = kept.execute("SELECT since FROM seen ORDER BY number DESC LIMIT 1").fetchone()
            begin = {"since": row[0]} if row else {"start": "now"}
            page = client.get("alerts/feed/", params={**begin, "wait": 5, "page_size": 200}).raise_for_status().json()
            rows = [(entry["sequence"], page["next_since"]) for entry in page["results"]] or [
                (None, page["next_since"])
            ]
            with kept:
                kept.executemany("INSERT INTO seen (sequence, since) VALUES (?, ?)", rows)
            print(json.dumps(len(page["results"])), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
