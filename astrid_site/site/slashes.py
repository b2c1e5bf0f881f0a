"""Addresses that lack their last slash."""

from __future__ import annotations

from django.http import HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware


class _Again(HttpResponsePermanentRedirect):
    status_code = HttpResponsePermanentRedirect.status_code_preserve_request


class Slashes(CommonMiddleware):
    """Django's own, but what was sent goes along: after a plain redirect a POST would come as a GET, and be lost."""

    response_redirect_class = _Again
