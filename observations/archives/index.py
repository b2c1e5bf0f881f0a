"""Lists of addresses: plain text, CSV, JSON, or the index pages of a folder on a web server."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatch
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

import requests

from catalog.files.outgoing import DownloadFailed
from catalog.files.sessions import Door, session_of
from catalog.work import jobs
from observations.archives.found import Found, Listing, ListRefused, is_fits_name
from observations.archives.products import file_name
from observations.archives.question import Question
from observations.models import Archive

# So many index pages are read at one asking.
MOST_PAGES = 200
_MOST_FILES = 100_000
_LONGEST = 2000
# What the columns and members of lists are called.
_URL, _NAME = ("url", "access_url", "fits_url", "href", "download_url"), ("obs_publisher_did", "id", "name")
_SIZE, _TIME = ("size_bytes", "size", "bytes"), ("observation_time", "date_obs", "date-obs", "time")
_SIZE_IN_INDEX = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*$", re.IGNORECASE)
# A whole address, or the name of a file beside the list.
_ADDRESS = re.compile(r"https?://|[\w~%+-]*[./][\w./~%+-]*$")
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def read_list(archive: Archive, question: Question, door: Door) -> Listing:
    """Return the FITS files that a list names, or that lie in and below a folder of a web server.

    Raises ListRefused where it is no list, and DownloadFailed or AddressRefused where it was not reached.
    """
    base = archive.address
    page = _get(base, door)
    if _is_page(page):
        found, words = _walk(page, question, door)
    else:
        found, words = [*_listed(page.text, page.url)][:_MOST_FILES], ""
        found = [one for one in found if one.time is None or one.time >= archive.begins_at]
    wanted = tuple(one for one in found if _is_wanted(one, question))
    if found and not wanted:
        words = f"None of the {len(found)} files is a FITS file of the names that are wanted. {words}".strip()
    return Listing(wanted, bool(words) and not found, words)


def _get(url: str, door: Door) -> requests.Response:
    try:
        page = session_of(door).get(url)
    except requests.RequestException as error:
        raise DownloadFailed(f"The list could not be read: {error}.", is_transient=False) from error
    if page.status_code != requests.codes.ok:
        raise DownloadFailed(
            f"The server answered {page.status_code} {page.reason} to {url}.",
            is_transient=page.status_code >= 500,
            status=page.status_code,
        )
    page.encoding = page.encoding if "charset" in page.headers.get("Content-Type", "") else "utf-8"
    return page


def _is_page(page: requests.Response) -> bool:
    begin = page.content[:1000].lstrip().lower()
    return "html" in page.headers.get("Content-Type", "") or begin.startswith((b"<!doctype html", b"<html"))


def _is_wanted(one: Found, question: Question) -> bool:
    name = file_name(one.url)
    return fnmatch(name.casefold(), question.pattern.casefold()) if question.pattern else is_fits_name(name)


# --- Folders of a web server ---


def _walk(first: requests.Response, question: Question, door: Door) -> tuple[list[Found], str]:
    """Return the files in and below a folder; nothing outside it is looked at."""
    base = first.url if first.url.endswith("/") else first.url.rpartition("/")[0] + "/"
    seen, left, found = {base}, [(first, 0)], dict[str, Found]()
    pages, waiting = 0, list[tuple[str, int]]()
    while left or waiting:
        jobs.check()
        page, depth = left.pop() if left else _next_page(waiting, door)
        pages += 1
        for one in _linked(page):
            if not _is_below(one.url, base):
                continue
            if one.url.endswith("/"):
                if one.url not in seen and depth < (question.depth or 0):
                    seen.add(one.url)
                    waiting.append((one.url, depth + 1))
            else:
                found[one.url] = one
        if pages >= MOST_PAGES or len(found) >= _MOST_FILES:
            return list(found.values()), f"Only the first {pages} index pages were read: give a deeper folder."
    return list(found.values()), ""


def _next_page(waiting: list[tuple[str, int]], door: Door) -> tuple[requests.Response, int]:
    url, depth = waiting.pop(0)
    return _get(url, door), depth


def _is_below(url: str, base: str) -> bool:
    """Tell whether an address is inside a folder, whatever its way of writing it."""
    is_plain = not urlsplit(url).query and len(url) <= _LONGEST
    return is_plain and url.startswith(base) and url != base and "/../" not in url and "%2e%2e" not in url.casefold()


def _linked(page: requests.Response) -> Iterator[Found]:
    reader = _Links()
    reader.feed(page.text)
    reader.close()
    for link, after in reader.links:
        url = urldefrag(urljoin(page.url, link.strip())).url
        told = " ".join(after.split())[:200]
        size = _SIZE_IN_INDEX.search(told)
        yield Found(
            name=url,
            url=url,
            size_bytes=round(float(size[1]) * _UNITS[size[2].upper()]) if size else None,
            version=told,
        )


class _Links(HTMLParser):
    """Collects the links of a page, each with the text that stands behind it up to the next one."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self._is_in_link = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._is_in_link = True
            self.links.append((dict(attrs).get("href") or "", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._is_in_link = False

    def handle_data(self, data: str) -> None:
        if self.links and not self._is_in_link:
            self.links[-1] = (self.links[-1][0], f"{self.links[-1][1]} {data}"[:1000])


# --- Lists ---


def _listed(text: str, base: str) -> Iterator[Found]:
    for entry in _entries(text):
        told = {str(name).strip().casefold(): value for name, value in entry.items() if name is not None}
        url, name = urljoin(base, _first(told, _URL)), _first(told, _NAME)
        if not _first(told, _URL) or max(len(url), len(name)) > _LONGEST:
            continue
        size = _first(told, _SIZE)
        yield Found(
            name=name or url,
            url=url,
            size_bytes=int(size) if size.isdecimal() else None,
            time=_moment(_first(told, _TIME)),
        )


def _first(told: Mapping[str, object], names: Iterable[str]) -> str:
    return next((str(told[name]).strip() for name in names if told.get(name) not in (None, "")), "")


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _entries(text: str) -> list[Mapping[str | None, object]]:
    """Return the entries of a list as JSON, CSV with a header, or an address on each line."""
    if text.lstrip()[:1] in ("[", "{"):
        return _entries_of_json(text)
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    header = {word.strip().strip('"').casefold() for word in re.split(r"[,;\t]", lines[0])} if lines else set()
    if header & set(_URL):
        delimiter = next((sign for sign in ",;\t" if sign in lines[0]), ",")
        return [*csv.DictReader(io.StringIO("\n".join(lines)), delimiter=delimiter)]
    addresses = [line.split()[0] for line in lines]
    if any(not _ADDRESS.match(address) for address in addresses):
        raise ListRefused(f"This is no list of addresses: it begins with {' '.join(text.split())[:100]!r}.")
    return [{"url": address} for address in addresses]


def _entries_of_json(text: str) -> list[Mapping[str | None, object]]:
    try:
        whole = json.loads(text)
    except ValueError as error:
        raise ListRefused(f"The list begins as JSON and is none: {error}.") from error
    entries = (
        whole if isinstance(whole, list) else next((part for part in whole.values() if isinstance(part, list)), [])
    )
    return [entry if isinstance(entry, dict) else {"url": str(entry)} for entry in entries]
