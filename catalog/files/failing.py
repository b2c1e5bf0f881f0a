"""What goes wrong between this machine and another, in words."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpcore
import httpx


class DownloadFailed(Exception):
    """What was asked for did not come; `is_transient` where it may come another time.

    status : HTTP's code, 0 where there was no answer. retry_after_s : how long the server asks to be left alone.
    has_begun : some of it came.
    """

    def __init__(
        self, sentence: str, *, is_transient: bool, status: int = 0, retry_after_s: float | None = None
    ) -> None:
        super().__init__(sentence)
        self.is_transient, self.status, self.retry_after_s = is_transient, status, retry_after_s
        self.has_begun = False


@contextmanager
def in_words(subject: str, *, has_begun: bool = False) -> Iterator[None]:
    """Tell what goes wrong in the network as DownloadFailed; `subject` is what broke off."""
    try:
        with _told(subject):
            yield
    except DownloadFailed as failure:
        failure.has_begun = has_begun
        raise


@contextmanager
def _told(subject: str) -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise DownloadFailed(
            f"{subject} was refused: its certificate is not valid ({error.verify_message}).", is_transient=False
        ) from error
    except OSError as error:
        raise DownloadFailed(f"{subject} broke off: {error.strerror or error}.", is_transient=True) from error
    except (httpcore.ProtocolError, httpx.ProtocolError) as error:
        raise DownloadFailed(f"{subject} broke off: {error}.", is_transient=True) from error
