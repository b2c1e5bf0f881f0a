"""`python -m tests.faults.deliver PATH`: hand frames to the workers."""

from __future__ import annotations

import os
import sys

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")
    django.setup()
    from astrid_site.pipeline import deliver
    from observations.services import Overrides

    deliver(sys.argv[1:], Overrides(), lambda line: print(line, file=sys.stderr))


if __name__ == "__main__":
    main()
