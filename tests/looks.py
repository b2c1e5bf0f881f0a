"""What a page looks like, measured: its colours."""

from __future__ import annotations

import base64
from typing import Any

from playwright.sync_api import Locator, Page

# Least contrast of text (WCAG 2.2, 1.4.3).
LEAST_CONTRAST = 4.5
# Of the longest page, the documents of the REST interface.
_WHOLE_PX = 15_000

# What of a pixel is green or blue, beside the little that a red on a screen has; the worst pixel and its place.
_NOT_RED = """async (picture) => {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const pixels = canvas.getImageData(0, 0, image.width, image.height).data;
  let worst = { excess: 0 };
  for (let k = 0; k < pixels.length; k += 4) {
    const [red, green, blue] = pixels.slice(k, k + 3);
    const excess = Math.max(green, blue) - 0.45 * red;
    if (excess > worst.excess) {
      worst = { excess, pixel: [red, green, blue], at: [(k / 4) % image.width, Math.floor(k / 4 / image.width)] };
    }
  }
  return worst;
}"""


def choose_theme(page: Page, address: str, theme: str) -> None:
    """Let the browser remember a theme, as its own choice does."""
    page.context.add_cookies([{"name": "theme", "value": theme, "url": address}])


def not_red(page: Page) -> dict[str, Any]:
    """Return the pixel of the screen that is least red: by how much, its colour and its place."""
    picture = base64.b64encode(page.screenshot()).decode()
    found: dict[str, Any] = page.evaluate(_NOT_RED, picture)
    return found


def operation(page: Page, name: str) -> Locator:
    """Return one of the operations in the documents of the REST interface, which are made where they can be seen."""
    size, found = page.viewport_size, page.locator(f"#operations-{name}")
    assert size is not None
    page.set_viewport_size({"width": size["width"], "height": _WHOLE_PX})
    found.wait_for()
    place = found.bounding_box()
    assert place is not None
    page.set_viewport_size(size)
    page.evaluate("y => scrollTo(0, y - innerHeight / 2)", place["y"])
    found.wait_for()
    return found
