"""The door for ASGI servers."""

import os
from typing import cast

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")

django_application = get_asgi_application()

# Django is set up now, and what stands before it may read settings and models.
from astrid_site.bodies import App, bounded  # noqa: E402
from astrid_site.waiting import Waiting  # noqa: E402

application = bounded(Waiting(cast(App, django_application)))
