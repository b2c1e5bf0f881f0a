"""What a rule of retention is: which rows it looks at, which files of theirs may go, and what must stay.

Conditions are SQL, since tables of ten million rows are looked at: `line` is the row. Each app says what concerns its
own tables; the site puts the rules together (`settings.RETENTION`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True)
class Keep:
    """What must stay, whatever its age: the reason in words, and the condition of the row."""

    words: str
    condition: str


@dataclass(frozen=True)
class Rule:
    """Rows of a table that are older than a key of the configuration says, in days; 0 there: they stay for ever.

    name : in words, many. table : and `joins` to others. written_at : SQL of the time from which on they are old.
    at_least : another key, of days during which something still looks at them.
    """

    name: str
    key: str
    table: str
    written_at: str
    keeps: tuple[Keep, ...] = ()
    joins: str = ""
    only: str = "true"
    at_least: str = ""

    def with_keeps(self, *keeps: Keep) -> Self:
        """Return the rule with more that must stay."""
        return replace(self, keeps=(*self.keeps, *keeps))

    @property
    def stays(self) -> str:
        """SQL that is true of a row that must stay."""
        return " OR ".join(f"({keep.condition})" for keep in self.keeps) or "false"

    @property
    def reason(self) -> str:
        """SQL for why a row must stay, its first reason in words; "" where it may go."""
        cases = " ".join(f"WHEN {keep.condition} THEN '{keep.words}'" for keep in self.keeps)
        return f"CASE {cases} ELSE '' END" if cases else "''"


@dataclass(frozen=True)
class FileRule(Rule):
    """Files that rows of `entity_type` name in the columns `paths`; the rows stay, and tell that they are gone.

    told : the beginning of the sentence that says so, up to "removed on …".
    also_named : other tables and columns in which the same file may be named. made_of_them : folders of what is made of
    the files for pages, with {} for the row's key; they go too.
    """

    entity_type: str = ""
    told: str = ""
    paths: tuple[str, ...] = ()
    also_named: tuple[tuple[str, str], ...] = ()
    made_of_them: tuple[str, ...] = ()

    @property
    def has_files(self) -> str:
        """SQL that is true of a row whose files are there, as far as rows tell."""
        named = " OR ".join(f"line.{path} <> ''" for path in self.paths)
        gone = (
            f"SELECT 1 FROM catalog_removedfile gone WHERE gone.entity_type = '{self.entity_type}' "  # noqa: S608
            f"AND gone.entity_id = line.id AND gone.removed_at >= {self.written_at}"
        )
        return f"({named}) AND NOT EXISTS ({gone})"


@dataclass(frozen=True)
class RowRule(Rule):
    """Rows that go themselves; `children` are the tables and columns of rows that go with them, in that order."""

    children: tuple[tuple[str, str], ...] = field(default=())


def rules() -> tuple[FileRule | RowRule, ...]:
    """Return all rules of the site."""
    found: Iterable[FileRule | RowRule] = import_string(settings.RETENTION)
    return tuple(found)


def rule_of(entity_type: str) -> FileRule | None:
    """Return the rule by which files of rows of a kind go; None where there is none."""
    for rule in rules():
        if isinstance(rule, FileRule) and rule.entity_type == entity_type:
            return rule
    return None


# What work looks at now or will: the row's own jobs, and those of its night and its field.
OPEN_JOB = (
    "EXISTS (SELECT 1 FROM catalog_processingjob job WHERE job.status IN ('pending', 'running') AND job.entity_id = {})"
)


def at_work(*keys: str) -> Keep:
    """Return that what an open job is about stays; `keys` are SQL for the keys of what jobs may be about."""
    return Keep("a job is at work on it", " OR ".join(OPEN_JOB.format(key) for key in keys))
