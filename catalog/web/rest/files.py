"""The files of a row, for programs: images as FITS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from catalog.configuration.values import snapshot
from catalog.files import storage
from catalog.models import Record
from catalog.retention.words import removed_words
from catalog.roles import MAY_JUDGE
from catalog.web.rest.problems import Problem
from catalog.web.stored_files import answer_file

FITS = "application/fits"
_INJECTED = (
    "Injected sources are mixed into what this account reviews, and the files would tell which those are: download "
    "them with an account that does not review."
)


def refuse_pixels_to_judges(request: Request) -> None:
    """Refuse whoever is given injected sources to judge: the files do not hold them."""
    if request.user.has_perm(MAY_JUDGE) and snapshot()["curation.fake_share"]:
        raise Problem(403, "judges_injected", _INJECTED)


class _Rows(Protocol):
    files: ClassVar[Mapping[str, str]]

    def get_object(self) -> Record: ...


class WithFiles:
    """A list of `catalog.web.rest.views` whose rows have files: under which names, and which column tells where."""

    files: ClassVar[Mapping[str, str]]

    @extend_schema(responses={(200, FITS): OpenApiTypes.BINARY, (206, FITS): OpenApiTypes.BINARY})
    @action(detail=True, url_path="files/<str:name>", url_name="file")
    def file(self: _Rows, request: Request, name: str, **_: object) -> HttpResponseBase:
        """Return a file of the row, whole or by `Range`. Which there are: see the description of the list."""
        refuse_pixels_to_judges(request)
        row = self.get_object()
        if name not in self.files:
            raise Problem(404, "no_such_file", f"There is no file {name}. There are: {', '.join(self.files)}.")
        stored = getattr(row, self.files[name])
        try:
            path = storage.open_stored(stored) if stored else None
        except (FileNotFoundError, storage.OutsideStorage):
            path = None
        except (storage.StorageUnreachable, storage.StorageFull) as error:
            raise Problem(503, "storage_unreachable", "The storage does not answer: try again later.") from error
        if not stored:
            raise Problem(404, "no_such_file", "This row has no such file, or not yet.")
        if path is None:
            raise Problem(410, "file_gone", removed_words(row) or "This file is not there any more.")
        kind = FITS if name.endswith(".fits") else "application/octet-stream"
        return answer_file(request._request, path, f"{row.pk}-{name}", kind)
