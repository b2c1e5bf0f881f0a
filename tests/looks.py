"""What a page looks like, measured: its colours, and how its text stands against its ground."""

from __future__ import annotations

import base64
from typing import Any

from playwright.sync_api import Page

# Least contrast of text (WCAG 2.2, 1.4.3).
LEAST_CONTRAST = 4.5

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

_CONTRASTS = """(least) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const read = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = (above, below) => [0, 1, 2].map((i) => above[i] * above[3] + below[i] * (1 - above[3])).concat(1);
  const light = (color) => {
    const shares = color.slice(0, 3).map((value) => value / 255);
    const linear = shares.map((v) => (v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4));
    return .2126 * linear[0] + .7152 * linear[1] + .0722 * linear[2];
  };
  const ground = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.unshift(read(getComputedStyle(e).backgroundColor));
    return layers.reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const weak = {};
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.data.trim(), element = walk.currentNode.parentElement;
    const { width, height } = element.getBoundingClientRect();
    const isShown = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    if (!text || !isShown || width < 2 || height < 2 || element.closest("script, style, option, [disabled]")) continue;
    const below = ground(element), above = over(read(getComputedStyle(element).color), below);
    const [brighter, darker] = [light(above), light(below)].sort((a, b) => b - a);
    const contrast = (brighter + .05) / (darker + .05);
    if (contrast < least) weak[`${text.slice(0, 40)} (${element.tagName}.${element.className})`] = contrast.toFixed(2);
  }
  return weak;
}"""


def choose_theme(page: Page, address: str, theme: str) -> None:
    """Let the browser remember a theme, as its own choice does."""
    page.context.add_cookies([{"name": "theme", "value": theme, "url": address}])


def not_red(page: Page) -> dict[str, Any]:
    """Return the pixel of the screen that is least red: by how much, its colour and its place."""
    picture = base64.b64encode(page.screenshot()).decode()
    found: dict[str, Any] = page.evaluate(_NOT_RED, picture)
    return found


def weak_text(page: Page) -> dict[str, str]:
    """Return the texts that stand out too little, with their contrast."""
    found: dict[str, str] = page.evaluate(_CONTRASTS, LEAST_CONTRAST)
    return found
