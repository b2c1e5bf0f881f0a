"""Keys of what is taken in."""

from __future__ import annotations

from catalog.configuration.key import ConfigKey

INGEST = (
    ConfigKey(
        "ingest.paused",
        False,
        "Whether ingest rests: uploads are refused, watched folders and what is queued wait, and go on when it is "
        "false again.",
        is_science=False,
    ),
    ConfigKey(
        "ingest.least_free_gb",
        2.0,
        "Ingest pauses by itself while fewer gigabytes than this are free on the disk of the data root, and goes on "
        "when there is space; 0: it never does.",
        0.0,
        1_000_000.0,
        is_science=False,
    ),
    ConfigKey(
        "ingest.max_unpacked_mb",
        1024,
        "A file is refused as soon as more than this many megabytes of it would be unpacked; a 61-megapixel "
        "frame has 244.",
        1,
        65536,
        is_science=False,
    ),
    ConfigKey(
        "ingest.max_axis_px",
        32768,
        "Images with an axis longer than this are refused.",
        64,
        1_000_000,
        is_science=False,
    ),
    ConfigKey(
        "ingest.max_file_mb",
        4096,
        "Largest file in megabytes that may be uploaded or downloaded.",
        1,
        1_000_000,
        is_science=False,
    ),
    ConfigKey(
        "ingest.settle_seconds",
        5,
        "A file in the watched folder is ingested once it has not changed for this long; before that it may "
        "be incomplete.",
        1,
        3600,
        is_science=False,
    ),
    ConfigKey(
        "ingest.archive_at_once",
        2,
        "Files that are fetched from one server of an archive side by side.",
        1,
        16,
        is_science=False,
    ),
    ConfigKey(
        "ingest.archive_pause_seconds",
        1.0,
        "Between two requests to one server of an archive at least this long passes.",
        0.0,
        3600.0,
        is_science=False,
    ),
    ConfigKey(
        "ingest.field_overlap_share",
        0.5,
        "Frames belong to the same field if their centres are closer than this fraction of the frame's width.",
        0.05,
        1.0,
    ),
)
