"""Simple Cone Search 1.1 of the Virtual Observatory: rows within a circle of the sky, as a VOTable."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import ClassVar, Generic, TypeVar

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.http.request import QueryDict
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.views import APIView

from catalog.models import Record
from catalog.web.rest import votable
from catalog.web.rest.authentication import ByToken, ByTokenAsPassword
from catalog.web.rest.problems import sentence_of
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.tables import told
from catalog.web.streamed import Streamed

CONTENT_TYPE = "application/x-votable+xml"
# Rows that are sent where MAXREC does not say how many, and the most that it may say.
DEFAULT_ROWS, MOST_ROWS = 50_000, 1_000_000
# So many are in memory at once.
_CHUNK = 1000
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_VOTABLES = ("votable", CONTENT_TYPE, "text/xml", "application/x-votable+xml;serialization=tabledata")


_Row = TypeVar("_Row", bound=Record)


class ConeRefused(ValueError):
    """A parameter cannot be read; the text says which and why."""


@dataclass(frozen=True)
class Cone:
    """What is asked for. most : rows at most; 0 where only the columns are asked for."""

    ra_deg: float
    dec_deg: float
    radius_deg: float
    most: int
    verbosity: int


def cone_of(query: QueryDict) -> Cone:
    """Read RA, DEC and SR (degrees), MAXREC, VERB and RESPONSEFORMAT, in upper or lower case; others are no concern.

    Raises ConeRefused.
    """
    given: dict[str, list[str]] = {}
    for name, values in query.lists():
        given.setdefault(name.upper(), []).extend(values)
    ra, dec, radius = (_number(given, name) for name in ("RA", "DEC", "SR"))
    if not 0.0 <= ra < 360.0:
        raise ConeRefused(f"RA: {ra:.10g} is none: give ICRS degrees from 0 up to 360.")
    if not -90.0 <= dec <= 90.0:
        raise ConeRefused(f"DEC: {dec:.10g} is none: give ICRS degrees from -90 to 90.")
    if not 0.0 <= radius <= 180.0:
        raise ConeRefused(f"SR: {radius:.10g} is no radius: give degrees from 0 to 180.")
    form = _text(given, "RESPONSEFORMAT") or "votable"
    if form.lower().replace(" ", "") not in _VOTABLES:
        raise ConeRefused("RESPONSEFORMAT: there are VOTables only.")
    most = min(_whole(given, "MAXREC", DEFAULT_ROWS), MOST_ROWS)
    verbosity = _whole(given, "VERB", 2)
    # Of 0, which pyvo takes for the least, the standard says nothing.
    if not 0 <= verbosity <= 3:
        raise ConeRefused("VERB: give 1 for few columns, 2 for those that most want, 3 for all.")
    return Cone(ra, dec, radius, most if radius else 0, verbosity)


def _text(given: Mapping[str, list[str]], name: str) -> str:
    values = given.get(name, [""])
    if len(values) > 1:
        raise ConeRefused(f"{name}: give it once.")
    return values[0].strip()


def _number(given: Mapping[str, list[str]], name: str) -> float:
    text = _text(given, name)
    if not _NUMBER.fullmatch(text):
        raise ConeRefused(f"{name}: {text[:40]!r} is no number." if text else f"{name}: it is missing; give degrees.")
    return float(text)


def _whole(given: Mapping[str, list[str]], name: str, default: int) -> int:
    text = _text(given, name)
    if text and not _WHOLE.fullmatch(text):
        raise ConeRefused(f"{name}: {text[:40]!r} is no whole number.")
    return int(text) if text else default


class ConeSearchView(APIView, Generic[_Row]):
    """Rows of one resource in the sky, for who may read that resource.

    few, main : columns for VERB=1 and VERB=2; VERB=3 is all of them.
    """

    authentication_classes = (ByTokenAsPassword, ByToken, SessionAuthentication)
    http_method_names = ["get", "head"]
    resource: ClassVar[str]
    serializer_class: ClassVar[type[RowSerializer]]
    few: ClassVar[tuple[str, ...]] = ("id", "ra", "dec")
    main: ClassVar[tuple[str, ...]]

    def near(self, ra_deg: float, dec_deg: float, radius_deg: float) -> QuerySet[_Row]:
        """Return what is in a circle of the sky, and this person may see."""
        raise NotImplementedError

    def cover(self, rows: Sequence[_Row]) -> None:
        """Take out of rows, which are shown and never saved, what this person may not see."""

    def get(self, request: Request) -> HttpResponseBase:
        """Answer with a table, or with a table that says what is wrong."""
        try:
            cone = cone_of(request.query_params)
        except ConeRefused as refused:
            # The standard has errors in the table alone: clients that look at the status never come to read it.
            return self._answer(200, [votable.refusal(str(refused))])
        parts = self._parts(cone)
        # What the database refuses is known with the first rows, when there is still time to say it.
        first = list(islice(parts, 3))
        return self._answer(200, first) if len(first) < 3 else self._stream(chain(first, parts))

    def get_exception_handler(self) -> Callable[[Exception, Mapping[str, object]], HttpResponse | None]:
        """Return what tells who may not, or asks too often, in a VOTable."""
        told = super().get_exception_handler()

        def handle(error: Exception, context: Mapping[str, object]) -> HttpResponse | None:
            problem: HttpResponse | None = told(error, context)
            if problem is None:
                return None
            answer = self._answer(problem.status_code, [votable.refusal(sentence_of(problem))])
            for name in ("WWW-Authenticate", "Retry-After"):
                if problem.has_header(name):
                    answer[name] = problem[name]
            return answer

        return handle

    def _parts(self, cone: Cone) -> Iterator[bytes]:
        """Yield the table: its head, rows by the thousand, and its end."""
        serializer = self.serializer_class()
        chosen = {0: self.few, 1: self.few, 2: self.main}.get(cone.verbosity, tuple(serializer.fields))
        for name in set(serializer.fields) - set(chosen):
            serializer.fields.pop(name)
        yield votable.head(serializer.fields, str(type(self).__doc__)).encode()
        sent, is_cut = 0, False
        for found in self._chunks(cone):
            is_cut = sent + len(found) > cone.most
            kept = found[: cone.most - sent]
            self.cover(kept)
            sent += len(kept)
            rows = [serializer.to_representation(row) for row in kept]
            yield votable.body(serializer.fields, [{name: told(row[name]) for name in row} for row in rows]).encode()
        yield votable.tail(is_cut=is_cut).encode()

    def _chunks(self, cone: Cone) -> Iterator[list[_Row]]:
        """Yield what is in the cone, and one row more than may be sent where there is one."""
        if not cone.most:
            return
        # In the order of the keys: that of the table would tell which rows were changed last.
        near = self.near(cone.ra_deg, cone.dec_deg, cone.radius_deg).order_by("id")
        rows = near[: cone.most + 1].iterator(chunk_size=_CHUNK)
        while found := list(islice(rows, _CHUNK)):
            yield found

    def _answer(self, status: int, parts: Sequence[bytes]) -> HttpResponse:
        return HttpResponse(b"".join(parts), status=status, content_type=CONTENT_TYPE)

    def _stream(self, parts: Iterable[bytes]) -> Streamed:
        return Streamed(parts, content_type=CONTENT_TYPE)
