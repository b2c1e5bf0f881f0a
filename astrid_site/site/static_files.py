"""Style sheets, scripts and fonts, served by the process that serves the pages.

Their addresses name the version of all of them together (`/static/v…/js/triage.js`), so that browsers keep them for
ever and never mix those of two versions: a script finds those that it imports in the same folder.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Never

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

_DIGITS = 12
_Found = str | list[str]
_TEXTS = ("text/", "application/javascript", "application/json", "image/svg+xml")
# Smaller ones fit a packet as they are.
_LEAST_COMPRESSED = 1000


@lru_cache(maxsize=1)
def version() -> str:
    """Return the folder of this version of all static files; "" where they change while they are served."""
    if settings.DEBUG:
        return ""
    digest = hashlib.sha256()
    for finder in finders.get_finders():
        for path, storage in sorted(finder.list(None), key=lambda found: str(found[0])):
            with storage.open(path) as file:
                digest.update(f"{path}\0".encode() + file.read())
    return f"v{digest.hexdigest()[:_DIGITS]}/"


class VersionedFiles(StaticFilesStorage):
    """Static files under addresses that name their version."""

    def url(self, name: str | None) -> str:
        """Return the address of a file."""
        return super().url(f"{version()}{name}")


class VersionFinder(BaseFinder):
    """Finds files by the names that addresses with a version have, for whatever serves files that it looks up."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[Never]:
        """Return nothing: they are other finders' files."""
        return ()

    def find(self, path: str, find_all: bool = False, **_: object) -> _Found:  # type: ignore[override]
        """Return where a file of this version is."""
        if not version() or not path.startswith(version()):
            return []
        name = path.removeprefix(version())
        return finders.find(name, find_all=True) if find_all else finders.find(name) or []


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise with answers that are read whole: an ASGI server would warn of every file that it streams.

    The addresses without a version are good too, and asked about each minute.
    """

    _is_to_look_up = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._looking_up = threading.Lock()
        super().__init__(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer who asks for a file; the first has all of them looked up, which takes as long as some pages."""
        if not request.path_info.startswith(self.static_prefix):
            return self.get_response(request)
        with self._looking_up:
            if self._is_to_look_up:
                super().add_files_from_finders()
                self._is_to_look_up = False
        return super().__call__(request)

    def add_files_from_finders(self) -> None:
        """Leave it to the first who asks."""
        self._is_to_look_up = True

    def add_file_to_dictionary(
        self, url: str, path: str, stat_cache: Mapping[str, os.stat_result] | None = None
    ) -> None:
        """Add a file under its address, and under that with the version."""
        super().add_file_to_dictionary(url, path, stat_cache)
        if not self.is_compressed_variant(path, stat_cache):
            versioned = f"{self.static_prefix}{version()}{url.removeprefix(self.static_prefix)}"
            self.files[versioned] = self.get_static_file(path, versioned, stat_cache)

    def immutable_file_test(self, path: str, url: str) -> bool:
        """Tell whether browsers may keep a file for ever under its address."""
        return bool(version()) and url.startswith(self.static_prefix + version())

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        """Return the file, or what its headers say instead: not modified, another range; texts compressed."""
        answer = static_file.get_response(request.method, request.META)
        content = b""
        if answer.file is not None:
            with answer.file as file:
                content = file.read()
        headers = dict(answer.headers)
        is_text = headers.get("Content-Type", "").startswith(_TEXTS) and "Content-Encoding" not in headers
        is_whole = int(answer.status) == HttpResponse.status_code and len(content) > _LEAST_COMPRESSED
        if is_text and is_whole and "gzip" in request.headers.get("Accept-Encoding", ""):
            content = _compressed(content)
            headers |= {"Content-Encoding": "gzip", "Content-Length": str(len(content))}
        response = HttpResponse(content, status=int(answer.status))
        del response["content-type"]
        for name, value in headers.items():
            response[name] = value
        if is_text:
            patch_vary_headers(response, ["Accept-Encoding"])
        return response


@lru_cache(maxsize=1024)
def _compressed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
