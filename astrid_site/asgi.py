"""The door for ASGI servers."""

import gc
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")
django.setup(set_prefix=False)

# Django is set up now, and what stands before it may read settings and models.
from django.urls import get_resolver  # noqa: E402

from astrid_site.site.bodies import bounded  # noqa: E402
from astrid_site.site.serving import Site  # noqa: E402
from astrid_site.streaming.waiting import Waiting  # noqa: E402

application = bounded(Waiting(Site()))

# What answers the requests is loaded before the first, and stays. Python looks through all that there is for garbage
# while everybody waits, a tenth of a second each time: it need not look through this, which is nearly all.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
