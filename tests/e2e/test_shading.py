"""The images of triage drawn by WebGL: the same pixels as by Canvas 2D, which takes over whenever it must."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.desks import Desk, detections
from tests.e2e.test_triage_objects import object_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_data_root")]

_DRAWN = """() => [...document.querySelectorAll("[data-panel] canvas, #strip canvas")].map((one) => one.toDataURL())"""
_BY = """() => [...document.querySelectorAll("[data-panel]")].map((one) => one.dataset.drawnBy)"""
WEBGL, CANVAS = ["webgl"] * 3, ["canvas"] * 3


@pytest.fixture(scope="module")
def switches() -> list[str]:
    """Without a graphics card, Chromium computes what one would draw."""
    return ["--enable-unsafe-swiftshader"]


def opened(desk: Callable[[], Desk], drawing: str, before: str = "") -> Desk:
    one: Desk = desk()
    if before:
        one.page.add_init_script(before)
    return again(one, drawing)


def again(one: Desk, drawing: str) -> Desk:
    """Open the page anew, in the same window: another person would not be given what somebody is reviewing."""
    one.page.goto("about:blank")
    one.open(f"#drawing={drawing}" if drawing else "")
    one.shown()
    return one


# What is hard to draw: no data, what is no number of counts, huge values of both signs, and each kind of bad pixel.
_CUTOUTS = """() => {
    let seed = 1;
    const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
    const HARD = [NaN, Infinity, -Infinity, 3e38, -3e38, 1e30, -1e30, 1e-42, 0, -0];
    window.load = (...names) => Promise.all(names.map((name) => import(`/static/js/${name}.js`)));
    // The card draws as soon as what it needs is loaded.
    window.card = async () => {
        const [{ Drawn, onOtherDrawing }] = await window.load("drawn");
        const begun = new Promise((go) => onOtherDrawing(() => go(null)));
        new Drawn();
        await begun;
    };
    window.cutouts = (measure, size, sky, noise) => {
        const star = () => (random() < 0.05 ? 100 * noise * (random() - 0.3) : 0);
        const value = (over) => over + noise * (random() + random() + random() - 1.5) + star();
        const any = (over) => (random() < 0.02 ? HARD[Math.floor(random() * HARD.length)] : value(over));
        const images = [sky, sky, 0].map((over) => Float32Array.from({ length: size * size }, () => any(over)));
        const cause = () => (random() < 0.1 ? 1 + Math.floor(7 * random()) : 0);
        const mask = Uint8Array.from({ length: size * size }, cause);
        return { size, images, mask, wcs: null, levels: measure(images, mask) };
    };
}"""
_COMPARED = """async () => {
    const [{ Coloured }, { Drawn }, { edgesOf }] = await window.load("coloured", "drawn", "edges");
    const [{ STRETCHES, measure }] = await window.load("greys");
    const pixels = (image, size) => {
        const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size });
        const context = canvas.getContext("2d", { willReadFrequently: true });
        context.drawImage(image, 0, 0);
        return context.getImageData(0, 0, size, size).data;
    };
    const found = { apart: 0, looks: 0, by: [], levels: new Set() }, looks = [];
    for (const stretch of STRETCHES) for (const contrast of [0.25, 1, 4]) for (const map of ["grey", "colour"]) {
        for (const isInverted of [false, true]) for (const hasMask of [false, true]) {
            looks.push({ stretch, contrast, map, isInverted, hasMask });
        }
    }
    await window.card();
    const [one, two] = [new Drawn(), new Coloured()];
    for (const [size, sky, noise] of [[63, 1000, 12], [20, 0.01, 1e-5], [33, -6e4, 300]]) {
        const epoch = window.cutouts(measure, size, sky, noise);
        // Where one grey ends and the next begins.
        for (const k of [0, 2]) epoch.images[k].set(edgesOf(k === 2, epoch.levels, looks[0]));
        for (const k of [0, 1, 2]) for (const look of looks) {
            const turn = { is_flipped: found.looks % 3 === 0, quarter_turns: found.looks % 4, north_deg: null };
            const [a, b] = [one, two].map((by) => pixels(by.draw(k, epoch, turn, look, epoch.levels), size));
            for (let n = 0; n < a.length; n++) found.apart = Math.max(found.apart, Math.abs(a[n] - b[n]));
            for (const level of a) found.levels.add(level);
            found.looks += 1;
            if (!found.by.includes(one.by)) found.by.push(one.by);
        }
    }
    return { ...found, levels: found.levels.size };
}"""


def test_both_ways_of_drawing_give_the_same_levels_for_every_look_and_every_kind_of_pixel(desk):
    detections(1)
    one = opened(desk, "webgl")
    one.page.evaluate(_CUTOUTS)
    found = one.page.evaluate(_COMPARED)
    assert found["by"] == ["webgl"]
    assert found["looks"] == 3 * 3 * 6 * 3 * 2 * 2 * 2
    assert found["levels"] == 256
    assert found["apart"] <= 1


KEYS = ("s", "s", "s", "s", "s", "s", "]", "[", "i", "o", "m", "+", "+", " ", "-", "c", "i")


def pictures(one: Desk) -> list[list[str]]:
    """Return what is on screen after each of a row of keys, each held down."""
    found = [one.page.evaluate(_DRAWN)]
    for key in KEYS:
        one.page.keyboard.down(key)
        found.append(one.page.evaluate(_DRAWN))
        one.page.keyboard.up(key)
    return found


def test_the_page_looks_the_same_by_both_with_its_strip_zoom_blink_and_colours(desk):
    object_of(0.9, 0.95, 0.8)
    one, seen = desk(), {}
    for drawing in ("webgl", "canvas"):
        again(one, drawing).settled()
        seen[drawing] = pictures(one)
        assert one.page.evaluate(_BY) == [drawing] * 3
        one.page.evaluate("() => localStorage.clear()")
    for key, mine, other in zip(("as at first", *KEYS), seen["webgl"], seen["canvas"], strict=True):
        assert mine == other, key
        assert len(mine) == 3 + 2 * 3
    assert len({str(one) for one in seen["webgl"]}) >= 14, "and the keys change what is seen"


def test_while_the_context_is_lost_canvas_draws_and_webgl_again_once_it_is_back(desk):
    detections(2)
    one = opened(desk, "webgl", _KEEP_CONTEXT)
    page, first = one.page, one.page.evaluate(_DRAWN)
    page.evaluate("() => { window.lose = window.context.getExtension('WEBGL_lose_context'); }")
    page.evaluate("() => window.lose.loseContext()")
    expect(page.locator("[data-panel=science]")).to_have_attribute("data-drawn-by", "canvas")
    assert page.evaluate(_DRAWN) == first
    page.keyboard.press("i")
    inverted = page.evaluate(_DRAWN)
    assert inverted != first
    one.press("v")
    one.shown()
    page.evaluate("() => window.lose.restoreContext()")
    expect(page.locator("[data-panel=science]")).to_have_attribute("data-drawn-by", "webgl")
    one.press("ArrowLeft")
    one.shown()
    assert page.evaluate(_BY) == WEBGL
    assert page.evaluate(_DRAWN) == inverted


def test_a_context_that_is_lost_within_a_moment_leaves_nothing_blank(desk):
    detections(1)
    one = opened(desk, "webgl", _KEEP_CONTEXT)
    both = one.page.evaluate(f"""() => {{
        const drawn = {_DRAWN}, first = drawn();
        window.context.getExtension("WEBGL_lose_context").loseContext();
        const press = () => new KeyboardEvent("keydown", {{ key: "i", bubbles: true }});
        for (let k = 0; k < 2; k++) document.body.dispatchEvent(press());
        return [first, drawn()];
    }}""")
    assert both[0] == both[1], "before the browser has said so"
    expect(one.page.locator("[data-panel=science]")).to_have_attribute("data-drawn-by", "canvas")
    assert one.page.evaluate(_DRAWN) == both[0]


def test_what_the_browser_has_lost_of_a_canvas_is_drawn_again(desk):
    object_of(0.9, 0.95)
    one = desk()
    for drawing in ("webgl", "canvas"):
        again(one, drawing).settled()
        first = one.page.evaluate(_DRAWN)
        one.page.evaluate("""() => { for (const one of document.querySelectorAll("main figure canvas, #strip canvas")) {
            one.getContext("2d").reset();
            one.dispatchEvent(new Event("contextrestored"));
        } }""")
        assert one.page.evaluate(_DRAWN) == first


_KEEP_CONTEXT = """
const getContext = OffscreenCanvas.prototype.getContext;
window.asked = [];
OffscreenCanvas.prototype.getContext = function (kind, options) {
    window.asked.push([kind, options?.failIfMajorPerformanceCaveat]);
    window.context = getContext.call(this, kind, options);
    return window.context;
};
"""
_NO_CONTEXT = "OffscreenCanvas.prototype.getContext = () => null;"
_NO_CANVAS = "delete window.OffscreenCanvas;"
_NO_SHADER = "WebGL2RenderingContext.prototype.getProgramParameter = () => false;"


@pytest.mark.parametrize("fault", [_NO_CONTEXT, _NO_CANVAS, _NO_SHADER])
def test_without_webgl_or_with_a_shader_that_does_not_compile_canvas_draws(desk, fault):
    detections(1)
    one = opened(desk, "webgl", fault)
    assert one.page.evaluate(_BY) == CANVAS
    assert one.page.evaluate("() => [...document.querySelectorAll('[data-panel] canvas')].every((one) => one.width)")


_IDLE = "() => new Promise((done) => requestIdleCallback(() => requestIdleCallback(done)))"
# Chromium's computed card, under the name of a real one.
_AS_A_CARD = (
    _KEEP_CONTEXT
    + """
const ask = WebGL2RenderingContext.prototype.getParameter, UNMASKED_RENDERER = 0x9246;
WebGL2RenderingContext.prototype.getParameter = function (name) {
    return name === UNMASKED_RENDERER ? "A card" : ask.call(this, name);
};
"""
)


def test_by_itself_a_page_takes_a_card_that_is_none_for_no_card(desk):
    detections(1)
    one = opened(desk, "", _KEEP_CONTEXT)
    one.page.wait_for_function("() => window.asked.length")
    one.page.evaluate(_IDLE)
    assert one.page.evaluate("() => window.asked") == [["webgl2", True]], "one context, and not at any price"
    assert one.page.evaluate(_BY) == CANVAS


def test_by_itself_a_page_goes_over_to_a_card_once_the_first_images_are_there(desk):
    detections(1)
    one = opened(desk, "", _AS_A_CARD)
    expect(one.page.locator("[data-panel=science]")).to_have_attribute("data-drawn-by", "webgl")
    mine = one.page.evaluate(_DRAWN)
    assert one.page.evaluate("() => window.asked") == [["webgl2", True]]
    assert again(one, "canvas").page.evaluate(_DRAWN) == mine
    assert one.page.evaluate(_BY) == CANVAS


_TEXTURES = """async () => {
    const { prototype } = WebGL2RenderingContext, count = { made: 0, gone: 0 };
    const { createTexture, deleteTexture } = prototype;
    prototype.createTexture = function () { count.made += 1; return createTexture.call(this); };
    prototype.deleteTexture = function (one) { count.gone += 1; return deleteTexture.call(this, one); };
    const [{ Drawn }, { measure }, { keptLook }] = await window.load("drawn", "greys", "looks");
    await window.card();
    const turn = { is_flipped: false, quarter_turns: 0, north_deg: null }, drawn = [0, 1, 2].map(() => new Drawn());
    const counted = [];
    for (let n = 0; n < 150; n++) {
        const epoch = window.cutouts(measure, 9, 1000, 12);
        drawn.forEach((one, k) => one.draw(k, epoch, turn, keptLook(), epoch.levels));
        counted.push(count.made - count.gone);
    }
    return counted;
}"""


def test_textures_of_what_was_seen_long_ago_are_deleted(desk):
    detections(1)
    one = opened(desk, "webgl")
    one.page.evaluate(_CUTOUTS)
    held = one.page.evaluate(_TEXTURES)
    tables, each = 2, 6
    assert held[9] == tables + 10 * each
    assert max(held) == held[-1] == tables + 16 * each
