"""The door for ASGI servers."""

import os
from typing import cast

import django
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "astrid_site.settings")
django.setup(set_prefix=False)

# Django is set up now, and what stands before it may read settings and models.
from astrid_site.site.bodies import App, bounded  # noqa: E402
from astrid_site.streaming.waiting import Waiting  # noqa: E402


class Site(ASGIHandler):
    """Django, each request as a whole in one thread.

    Every view is synchronous. Django itself would change between its loop and a thread twice for each middleware, which
    takes as long as the middlewares.
    """

    def __init__(self) -> None:
        super(ASGIHandler, self).__init__()
        self.load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)


application = bounded(Waiting(cast(App, Site())))
