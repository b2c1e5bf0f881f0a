"""`python -m benchmarks.triage.drawing`: what a stretch, a zoom and a blink cost the script of triage.

Drawn by Canvas 2D and by WebGL; the scripts of the page alone, in Chromium: three images and a strip of five epochs,
one step for each frame of the screen. Without a graphics card Chromium computes WebGL, and a card takes another time.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from playwright.sync_api import Page, Route, sync_playwright

from benchmarks.triage import report

STEPS, EPOCHS, SIZES, GOAL_MS = 240, 5, (63, 201), 8.0
# Of Chromium without a card: all that one would draw is computed, canvases of both kinds.
_SOFTWARE = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
_STATIC = Path(__file__).parents[2] / "static"
_ORIGIN = "http://localhost:1"
# Alone in its process, a page is told the time to 5 microseconds.
_ALONE = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
_FIGURES = "".join(
    f'<figure data-panel="{name}"><figcaption></figcaption><canvas></canvas></figure>'
    for name in ("science", "reference", "difference")
)
_PAGE = f"""<!doctype html><html><head><link rel="stylesheet" href="/static/css/themes.css"></head>
<body><div id="strip"></div>{_FIGURES}</body></html>"""
_MAKE = """async ([size, epochs]) => {
  const load = (name) => import(`/static/js/${name}.js`);
  const [{ Viewer }, { Strip }, { measure }] = await Promise.all(["viewer", "strip", "greys"].map(load));
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const noise = () => random() + random() + random() + random() - 2;
  const image = (sky, star) => Float32Array.from({ length: size * size }, (_, k) => {
    const [x, y] = [k % size - size / 2, Math.floor(k / size) - size / 2];
    return sky + 12 * noise() + star * Math.exp(-(x * x + y * y) / 8);
  });
  const turn = { is_flipped: false, quarter_turns: 1, north_deg: 3 };
  const made = Array.from({ length: epochs }, (_, k) => {
    const images = [image(1000, 900), k ? null : image(1000, 500), image(0, 400)];
    const mask = Uint8Array.from({ length: size * size }, () => (random() < 0.01 ? 1 : 0));
    return { size, images, mask, wcs: null, levels: measure(images, mask) };
  });
  const middle = size / 2 + 0.21, place = { x: middle, y: middle, turn, scale_arcsec: 1 };
  const strip = new Strip(document.querySelector("#strip"), { onPick: () => {} });
  const viewer = new Viewer(document.querySelectorAll("[data-panel]"), (look) => strip.draw(look));
  viewer.fit(380, size);
  const row = made.map((cutouts, k) => ({
    id: String(k), label: String(k), cutouts, fault: "", turn, place, state: k ? "covered" : "large",
  }));
  strip.show(row, viewer.look);
  viewer.show(made[0], place);
  Object.assign(window, { viewer, strip });
}"""
_STEPS = """async ([name, steps]) => {
  const { viewer } = window, frame = () => new Promise(requestAnimationFrame), took = [];
  const step = {
    stretch: () => viewer.nextStretch(),
    zoom: (k) => viewer.zoom(k % 4 < 2 ? 1 : -1),
    blink: (k) => viewer.swap(k % 2 === 0),
  }[name];
  for (let k = 0; k < steps; k++) {
    await frame();
    const begun = performance.now();
    step(k);
    took.push(performance.now() - begun);
  }
  return took;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--drawing", nargs="+", choices=("canvas", "webgl"), default=("canvas", "webgl"))
    options = parser.parse_args()
    for drawing in options.drawing:
        for size in SIZES:
            for name, took in measured(drawing, size, options.steps).items():
                report.times(f"{drawing}, {size} px, {name}: script", took, p95=GOAL_MS)


def measured(drawing: str, size: int, steps: int) -> dict[str, list[float]]:
    """Return the milliseconds of script of each step."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    arguments += _SOFTWARE if drawing == "webgl" else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.route("**/*", _serve)
        page.goto(f"{_ORIGIN}/#drawing={drawing}")
        page.evaluate(_MAKE, [size, EPOCHS])
        found = {name: _steps(page, name, steps) for name in ("stretch", "zoom", "blink")}
        browser.close()
    return found


def _steps(page: Page, name: str, steps: int) -> list[float]:
    took: list[float] = page.evaluate(_STEPS, [name, steps])
    return took


def _serve(route: Route) -> None:
    path = route.request.url.removeprefix(_ORIGIN).partition("#")[0]
    if path.startswith("/static/"):
        route.fulfill(path=_STATIC / path.removeprefix("/static/"))
    else:
        route.fulfill(body=_PAGE, content_type="text/html", headers=_ALONE)


if __name__ == "__main__":
    main()
