"""A document of results as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# What a program reads; its values are of the kinds that JSON has.
Row = dict[str, Any]
Document = dict[str, list[Row]]


def summary_lines(whole: Document) -> Iterator[str]:
    """Yield each frame with its fate and its detections, the likeliest first, and what moves."""
    for row in whole["observations"]:
        reason = f"  {row['failure_code']}: {row['error_message']}" if row["failure_code"] else ""
        found = [d for d in whole["detections"] if d["file"] == row["file"]]
        yield f"{row['file']}  {row['status']}  {len(found)} detections{reason}"
        for d in sorted(found, key=lambda entry: -entry["confidence_score"]):
            yield (
                f"    x {d['pixel_x']:8.2f}  y {d['pixel_y']:8.2f}  ra {d['ra']:10.5f}  dec {d['dec']:+9.5f}  "
                f"S/N {d['snr']:7.1f}  score {d['confidence_score']:.3f}"
            )
    yield from moving_lines(whole)


def moving_lines(whole: Document) -> Iterator[str]:
    """Yield one line for each tracklet."""
    for t in whole["tracklets"]:
        what = "doubtful motion" if t["is_doubtful"] else "moving object"
        yield f"{what} in {len(t['members'])} frames, {t['rate_arcsec_per_min']:.3f} arcsec/min"
