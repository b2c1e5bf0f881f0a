"""Keys of backups."""

from __future__ import annotations

from catalog.configuration.key import ConfigKey

BACKUP = (
    ConfigKey(
        "backup.warn_after_days",
        0,
        "Days after which the last backup made by manage.py backup is old: the admin and the mails of alarms say so, "
        "also where there is none. 0: never.",
        0,
        3650,
        is_science=False,
    ),
)
