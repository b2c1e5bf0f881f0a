"""What is to be reported, before it is: what would be said of each object, and what speaks against saying it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from curation.models import ReportService
from curation.numerics.ades import AdesHead, AdesPosition
from curation.numerics.at_report import AtReport


@dataclass(frozen=True)
class Finding:
    """What speaks against reporting an object, or is to be known before; subject "" is the report as a whole."""

    subject: str
    message: str
    is_refusal: bool = True


@dataclass(frozen=True)
class MovingBody:
    """What is frozen of one object to the Minor Planet Center."""

    positions: tuple[AdesPosition, ...]


@dataclass(frozen=True)
class RowDraft:
    """One object as it would be reported; detection : of which a finding chart is drawn."""

    key: UUID
    title: str
    internal_name: str
    body: MovingBody | AtReport
    ra: float
    dec: float
    first_mjd_utc: float
    last_mjd_utc: float
    detection: UUID | None = None
    neo_score: float | None = None
    neo_score_lack: str = ""


@dataclass(frozen=True)
class Draft:
    """A report as it would be; what is refused has no row."""

    service: ReportService
    rows: tuple[RowDraft, ...] = ()
    findings: tuple[Finding, ...] = ()
    head: AdesHead | None = None
    station: str = ""

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """Return what must not stand for it to be prepared."""
        return tuple(finding for finding in self.findings if finding.is_refusal)

    def found(self, findings: Sequence[Finding]) -> Draft:
        """Return it with more findings."""
        return replace(self, findings=(*self.findings, *findings))


class ReportRefused(Exception):
    """A report cannot be prepared; its draft says why."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(" ".join(_sentence(finding) for finding in draft.refusals))
        self.draft = draft


@dataclass
class Notes:
    """Findings about one object, as they are gathered."""

    subject: str
    findings: list[Finding] = field(default_factory=list)

    def refuse(self, message: str) -> None:
        """Say why it must not be reported, once."""
        self._add(Finding(self.subject, message))

    def note(self, message: str) -> None:
        """Say what is to be known before it is."""
        self._add(Finding(self.subject, message, is_refusal=False))

    @property
    def is_refused(self) -> bool:
        return any(finding.is_refusal for finding in self.findings)

    def _add(self, finding: Finding) -> None:
        if finding not in self.findings:
            self.findings.append(finding)


def _sentence(finding: Finding) -> str:
    return f"{finding.subject}: {finding.message}" if finding.subject else finding.message
