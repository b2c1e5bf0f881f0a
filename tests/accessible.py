"""What axe-core finds on a page: the rules of WCAG 2.2, A and AA, and those of good practice."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Page

AXE = Path(__file__).parent / "js/node_modules/axe-core/axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
# Those whose answer depends on colours, and on how wide the screen is.
OF_COLOURS = ("color-contrast", "link-in-text-block")
OF_WIDTH = ("target-size", "scrollable-region-focusable", "color-contrast")
# The themes of the admin have a class beside.
_WEAR = """(theme) => {
  const { classList, dataset } = document.documentElement;
  dataset.theme = theme;
  if (["dark", "light"].some((name) => classList.contains(name))) {
    classList.toggle("light", theme === "light");
    classList.toggle("dark", theme !== "light");
  }
}"""
_FIND = """async ([values, leave]) => {
  const type = values.some((value) => value.startsWith("wcag")) ? "tag" : "rule";
  const exclude = leave.filter((one) => document.querySelector(one)).map((one) => [one]);
  const options = { runOnly: { type, values }, resultTypes: ["violations"], preload: false };
  const { violations } = await axe.run({ include: [document], exclude }, options);
  return violations.map(({ id, nodes }) => {
    const { target, failureSummary } = nodes[0], contrast = failureSummary.match(/contrast of [\\d.]+/) ?? "";
    return `${nodes.length} × ${id}: ${target.join(" ")} ${contrast}`;
  });
}"""


@cache
def _axe() -> str:
    if not AXE.is_file():
        pytest.fail("axe-core is not installed: make test-js installs what the pages are checked with.")
    return AXE.read_text(encoding="utf-8")


def wear(page: Page, theme: str) -> None:
    """Put another theme on the page that is open."""
    page.evaluate(_WEAR, theme)


def violations(page: Page, rules: Sequence[str] = RULES, leave: Sequence[str] = ()) -> list[str]:
    """Return which rules are broken, how often and where first; what selectors leave out is not looked at."""
    if not page.evaluate("() => 'axe' in window"):
        # Not as an element: the pages' policy allows no script in them.
        page.evaluate(_axe())
    found: list[str] = page.evaluate(_FIND, [list(rules), list(leave)])
    return found
