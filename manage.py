#!/usr/bin/env python
"""AstrID's commands. One that needs a database starts the embedded PostgreSQL and leaves it running."""

from __future__ import annotations

import os
import sys

# These need no database, or start the server themselves and stop what they started.
WITHOUT_DATABASE = {
    "", "help", "version", "check", "db", "collectstatic", "diffsettings", "findstatic", "makemessages",
    "compilemessages", "backup", "restore", "process", "demo", "simulate", "train_model", "startapp", "test",
}  # fmt: skip


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    command = sys.argv[1] if len(sys.argv) > 1 else ""
    is_asking = command.startswith("-") or {"-h", "--help"} & set(sys.argv)
    if command not in WITHOUT_DATABASE and not is_asking:
        from astrid_site.running import postgres

        try:
            postgres.ensure_running()
        except (postgres.ServerUnavailable, ImproperlyConfigured) as error:
            sys.exit(str(error))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
