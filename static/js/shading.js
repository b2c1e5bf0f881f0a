// Images in their colours by a graphics card, from textures that are sent once. All images share one context, for browsers
// give a page only a few; each comes out as pixels of its own, as Canvas 2D would have made them (coloured.js).

import { DIFFERENCE, unturner } from "./drawing.js";
import { GREYS, edgesOf } from "./edges.js";
import { KINDS, WITHOUT_DATA, coloursOf } from "./palettes.js";

// So many epochs are kept as textures: those that people go back and forth between.
const MOST_KEPT = 16;
// Units of textures.
const IMAGE = 0, KIND = 1, EDGES = 2, COLOURS = 3;
const NAMES = ["image", "kinds", "edges", "colours"];
const TURN = ["first", "across", "up"];

// What drivers without a card call themselves.
const COMPUTED = /swiftshader|llvmpipe|softpipe|software|basic render/i;

// A triangle that covers everything.
const CORNERS = `#version 300 es
void main() { gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0); }`;
// The grey is how many edges the value has reached: nothing is computed that cards would round each in its own way.
const SHADES = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp usampler2D;
uniform sampler2D image, edges, colours;
uniform usampler2D kinds;
uniform ivec2 first, across, up;
out vec4 colour;
void main() {
  ivec2 place = ivec2(gl_FragCoord.xy), pixel = first + place.x * across + place.y * up;
  float value = texelFetch(image, pixel, 0).r;
  int grey = 0;
  for (int step = 128; step > 0; step /= 2) if (value >= texelFetch(edges, ivec2(grey + step - 1, 0), 0).r) grey += step;
  colour = texelFetch(colours, ivec2(grey, texelFetch(kinds, pixel, 0).r), 0);
}`;

/**
 * @typedef {import("./drawing.js").Pixels} Pixels
 * @typedef {import("./drawing.js").Turn} Turn
 * @typedef {import("./looks.js").Look} Look
 * @typedef {import("./greys.js").Levels} Levels
 * @typedef {{image: WebGLTexture, kinds: WebGLTexture}} Textures  values, and what each pixel is
 */

export class Shading {
  /**
   * Take a context; throws where it cannot be used.
   * @param {WebGL2RenderingContext} gl  of a canvas that is on no page
   * @param {() => void} onChange  hears that the context is lost, or back
   */
  constructor(gl, onChange) {
    this.gl = gl;
    this.canvas = /** @type {OffscreenCanvas} */ (gl.canvas);
    /** @type {Map<Pixels, (Textures | undefined)[]>} the epoch that was drawn longest ago first */
    this.kept = new Map();
    /** @type {Map<number, unknown>} what stands in the two tables */
    this.filled = new Map();
    this.most = 0;
    /** @type {Record<string, WebGLUniformLocation | null>} */
    this.places = {};
    this.canvas.addEventListener("webglcontextlost", (event) => {
      // Or it never comes back.
      event.preventDefault();
      onChange();
    });
    this.canvas.addEventListener("webglcontextrestored", () => {
      try { this.#begin(); } catch { this.most = 0; }
      onChange();
    });
    this.#begin();
  }

  /**
   * Return an image in its colours, first row at the top; null where the context is lost or cannot hold it.
   * @param {number} k  science, reference or difference
   * @param {Pixels} pixels
   * @param {Turn} turn
   * @param {Look} look
   * @param {Levels} levels
   */
  draw(k, pixels, turn, look, levels) {
    const { gl, canvas } = this, { size } = pixels;
    const textures = gl.isContextLost() || size > this.most ? null : this.#texturesOf(k, pixels);
    if (!textures) return null;
    if (canvas.width !== size) canvas.width = canvas.height = size;
    gl.viewport(0, 0, size, size);
    bind(gl, IMAGE, textures.image);
    bind(gl, KIND, textures.kinds);
    this.#fill(EDGES, edgesOf(k === DIFFERENCE, levels, look));
    this.#fill(COLOURS, coloursOf(k === DIFFERENCE, look));
    this.#turn(size, turn);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    try {
      const drawn = canvas.transferToImageBitmap();
      if (!gl.isContextLost()) return drawn;
      drawn.close();
    } catch { /* It was lost this very moment. */ }
    return null;
  }

  /** Compile, and make what all images use. */
  #begin() {
    const { gl } = this, program = compiled(gl);
    this.kept.clear();
    this.filled.clear();
    gl.useProgram(program);
    NAMES.forEach((name, unit) => gl.uniform1i(gl.getUniformLocation(program, name), unit));
    for (const name of TURN) this.places[name] = gl.getUniformLocation(program, name);
    gl.disable(gl.DITHER);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    texture(gl, EDGES);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.R32F, GREYS - 1, 1);
    texture(gl, COLOURS);
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, GREYS, WITHOUT_DATA + 1);
    this.most = gl.getParameter(gl.MAX_TEXTURE_SIZE);
  }

  /**
   * Return the textures of an image, null where it was not sent; those of epochs that have not been seen for long go.
   * @param {number} k
   * @param {Pixels} pixels
   */
  #texturesOf(k, pixels) {
    const image = pixels.images[k];
    if (!image) return null;
    const known = this.kept.get(pixels) ?? [];
    this.kept.delete(pixels);
    this.kept.set(pixels, known);
    known[k] ??= sent(this.gl, image, pixels);
    for (const [other, gone] of this.kept) {
      if (this.kept.size <= MOST_KEPT) break;
      for (const one of gone) if (one) for (const each of [one.image, one.kinds]) this.gl.deleteTexture(each);
      this.kept.delete(other);
    }
    return known[k];
  }

  /**
   * Write a table anew if it is another one.
   * @param {number} unit
   * @param {Float32Array | Uint32Array<ArrayBuffer>} values
   */
  #fill(unit, values) {
    const { gl } = this;
    if (this.filled.get(unit) === values) return;
    this.filled.set(unit, values);
    gl.activeTexture(gl.TEXTURE0 + unit);
    if (values instanceof Float32Array) gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, GREYS - 1, 1, gl.RED, gl.FLOAT, values);
    else gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, GREYS, WITHOUT_DATA + 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(values.buffer));
  }

  /**
   * Say which pixel lies at the first place, and how far it is from there to the next ones.
   * @param {number} size
   * @param {Turn} turn
   */
  #turn(size, turn) {
    const { gl, places } = this, at = unturner(size, turn);
    const [[x, y], right, above] = [at(0, 0), at(1, 0), at(0, 1)];
    gl.uniform2i(places.first, x, y);
    gl.uniform2i(places.across, right[0] - x, right[1] - y);
    gl.uniform2i(places.up, above[0] - x, above[1] - y);
  }
}

/**
 * Send an image; its rows from the bottom, as cards have them.
 * @param {WebGL2RenderingContext} gl
 * @param {Float32Array} image
 * @param {Pixels} pixels
 * @returns {Textures}
 */
function sent(gl, image, { size, mask }) {
  // Not every card tells numbers from what is none.
  const kinds = new Uint8Array(image.length);
  for (let at = 0; at < kinds.length; at++) kinds[at] = Number.isFinite(image[at]) ? KINDS[mask[at]] : WITHOUT_DATA;
  const textures = { image: texture(gl, IMAGE), kinds: texture(gl, KIND) };
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8UI, size, size, 0, gl.RED_INTEGER, gl.UNSIGNED_BYTE, kinds);
  bind(gl, IMAGE, textures.image);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, size, size, 0, gl.RED, gl.FLOAT, image);
  return textures;
}

/**
 * Make a texture that is not smoothed, and bind it.
 * @param {WebGL2RenderingContext} gl
 * @param {number} unit
 */
function texture(gl, unit) {
  const made = gl.createTexture();
  bind(gl, unit, made);
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
  return made;
}

/**
 * @param {WebGL2RenderingContext} gl
 * @param {number} unit
 * @param {WebGLTexture} one
 */
function bind(gl, unit, one) {
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.bindTexture(gl.TEXTURE_2D, one);
}

/**
 * Tell whether the processor computes what a card would draw: then it is no help, and browsers do not always refuse it when
 * asked to.
 * @param {WebGL2RenderingContext} gl
 */
export function isComputed(gl) {
  const told = gl.getExtension("WEBGL_debug_renderer_info");
  return COMPUTED.test(String(gl.getParameter(told ? told.UNMASKED_RENDERER_WEBGL : gl.RENDERER)));
}

/**
 * Compile the shaders; throws an Error with what the driver says against them.
 * @param {WebGL2RenderingContext} gl
 */
function compiled(gl) {
  const program = gl.createProgram();
  for (const [kind, text] of /** @type {const} */ ([[gl.VERTEX_SHADER, CORNERS], [gl.FRAGMENT_SHADER, SHADES]])) {
    const shader = gl.createShader(kind);
    if (!shader) continue;
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) ?? "The context is lost.");
  return program;
}
