"""The door for ASGI servers."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")
django.setup(set_prefix=False)

# Django is set up now, and what stands before it may read settings and models.
from astrid_site.site.bodies import bounded  # noqa: E402
from astrid_site.site.serving import Site  # noqa: E402
from astrid_site.streaming.waiting import Waiting  # noqa: E402

application = bounded(Waiting(Site()))
