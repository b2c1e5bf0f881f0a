"""Simple Image Access 2.0, by pyvo: what a service says that there is, and where a link of it leads.

Only workers import this: pyvo is not for the web process. What services leave out or write in their own way is taken as
unknown; what is wrong is told in the service's words.
"""

from __future__ import annotations

import datetime as dt
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from astropy.table import Table
from astropy.time import Time
from astropy.utils.exceptions import AstropyWarning
from pyvo.dal.adhoc import DatalinkResults
from pyvo.dal.exceptions import DALAccessError, DALFormatError, DALOverflowWarning, DALQueryError, DALServiceError
from pyvo.dal.sia2 import SIA2Query, SIA2Service

from catalog.files.outgoing import DownloadFailed
from catalog.files.sessions import Door, session_of
from observations.archives.found import Found, Listing, ListRefused, Window, refusal_of_format
from observations.archives.question import Question, shape_of

_LONGEST = 2000
_UNIX_EPOCH_MJD = 40587.0
_SECONDS_PER_DAY = 86400.0
# ObsCore counts in kilobytes; services that count otherwise say so in the unit of the column.
_BYTES_OF_UNIT = {"byte": 1, "kbyte": 1000, "mbyte": 1_000_000, "gbyte": 1_000_000_000}


def ask(address: str, question: Question, window: Window, door: Door, most_rows: int | None = None) -> Listing:
    """Return what a service offers within a window of time.

    Raises ListRefused, and DownloadFailed or AddressRefused where it was not reached.
    """
    most = most_rows or question.most_rows or 2000
    band = question.band_m
    with _in_words(door):
        query = SIA2Query(
            address,
            pos=[shape_of(text)[1] for text in question.positions] or None,
            band=[band] if band else None,
            time=[(Time(window.start), Time(window.end))],
            collection=list(question.collections) or None,
            instrument=list(question.instruments) or None,
            calib_level=list(question.calib_levels) or None,
            data_type="image",
            maxrec=most,
            session=session_of(door),
        )
        results = query.execute()
        status, words = results.status
        table = results.to_table()
    found = tuple(_found(table))
    # Some services stop at their limit and do not say so.
    is_short = status.casefold() == "overflow" or len(table) >= most
    return Listing(found, is_short, " ".join((words or "").split()))


def query_address(address: str, door: Door) -> str:
    """Return where a service says that it takes questions, by its capabilities. Raises as `ask` does."""
    with _in_words(door):
        return str(SIA2Service(address, session=session_of(door)).query_ep)


def follow(link: str, door: Door) -> str:
    """Return the address of the file itself to which a DataLink leads. Raises as `ask` does."""
    with _in_words(door):
        links = DatalinkResults.from_result_url(link, session=session_of(door))
        rows = [(row["semantics"], row["access_url"], row["error_message"]) for row in links.to_table()]
    this = [
        (_text(url), _text(error)) for semantics, url, error in rows if _text(semantics).rpartition("#")[2] == "this"
    ]
    for url, _ in this:
        if url:
            return url
    said = next((error for _, error in this if error), "") or next((_text(row[2]) for row in rows if _text(row[2])), "")
    raise ListRefused(
        f"Its links lead to no file (#this): {said}" if said else "Its links lead to no file: none of them is #this."
    )


@contextmanager
def _in_words(door: Door) -> Iterator[None]:
    """Tell what goes wrong as ListRefused, in the service's words; what the door met goes through."""
    try:
        with warnings.catch_warnings():
            # Remarks on how a service follows the standard; that an answer is short is read from its status.
            warnings.simplefilter("ignore", AstropyWarning)
            warnings.simplefilter("ignore", DALOverflowWarning)
            yield
    except (DALAccessError, requests.RequestException, ValueError, KeyError, TypeError, IndexError) as error:
        if door.failure is not None:
            raise door.failure from error
        raise _failure_of(error) from error


def _failure_of(error: Exception) -> Exception:
    said = " ".join(str(error).split())[:1000]
    if isinstance(error, DALQueryError):
        return ListRefused(f"The service refused: {said or 'it gives no reason'}")
    if isinstance(error, DALFormatError):
        return ListRefused(f"The answer is no VOTable of SIA 2 ({said[:300]}). Is this the address of its queries?")
    if isinstance(error, DALServiceError):
        code = error.code if isinstance(error.code, int) else 0
        return DownloadFailed(f"The service answered: {said}", is_transient=code >= 500, status=code)
    if isinstance(error, requests.TooManyRedirects):
        return DownloadFailed("The service redirects too many times.", is_transient=False)
    return ListRefused(f"The answer cannot be read: {said}")


def _found(table: Table) -> Iterator[Found]:
    names = {name.casefold(): name for name in table.colnames}

    def text(row: Table.Row, name: str) -> str:
        return _text(row[names[name]]) if name in names else ""

    def number(row: Table.Row, name: str) -> float | None:
        return _number(row[names[name]]) if name in names else None

    unit = str(table[names["access_estsize"]].unit or "") if "access_estsize" in names else ""
    scale = _BYTES_OF_UNIT.get(unit.casefold(), 1000)
    for row in table:
        url, own = text(row, "access_url"), text(row, "obs_publisher_did")
        size, start = number(row, "access_estsize"), number(row, "t_min")
        access_format = text(row, "access_format")
        yield Found(
            name=(own or url or text(row, "obs_id"))[:_LONGEST],
            url=url[:_LONGEST],
            title=(text(row, "obs_title") if not own else "") or text(row, "obs_id") or own.rpartition("/")[2],
            access_format=access_format,
            size_bytes=None if size is None or size <= 0 else round(size * scale),
            time=None if start is None else _time(start),
            not_before=_release(text(row, "obs_release_date"), text(row, "data_rights")),
            refusal=_refusal(url, own, access_format),
        )


def _refusal(url: str, own: str, access_format: str) -> str:
    if not url:
        return "The archive gives no address for it."
    if max(len(url), len(own)) > _LONGEST:
        return f"Its address or name is longer than {_LONGEST} characters."
    return refusal_of_format(access_format)


def _release(date: str, rights: str) -> dt.datetime | None:
    """Return when a product becomes public, where the archive says that it is not yet."""
    if rights.casefold() == "public" or not date:
        return None
    try:
        moment = dt.datetime.fromisoformat(date)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _text(value: object) -> str:
    """Return a cell as text, "" for what is masked or not there."""
    if value is None or getattr(value, "mask", False) is True or str(value) == "--":
        return ""
    return (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).strip().replace("\0", "")


def _number(value: object) -> float | None:
    """Return a cell as a number, None for what is masked, NaN or no number."""
    try:
        number = float(_text(value) or "nan")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _time(mjd: float) -> dt.datetime | None:
    """Return the time of a modified Julian date, None where it is none that a calendar holds."""
    try:
        return dt.datetime.fromtimestamp((mjd - _UNIX_EPOCH_MJD) * _SECONDS_PER_DAY, dt.UTC)
    except (OverflowError, ValueError, OSError):
        return None
