// What is known in a frame, over its images: detections, which lead to their pages, and what catalogues hold.

const NAMESPACE = "http://www.w3.org/2000/svg";
// By shape, not by colour alone: detections are squares, stars plus signs, variables triangles, galaxies diamonds.
/** @type {Record<string, string>} */
const SHAPES = {
  detection: "M-7-7h14v14h-14z", star: "M-6 0h12M0-6v12", variable: "M0-7l7 12h-14z", galaxy: "M0-8l8 8-8 8-8-8z",
};

/** @typedef {{x: number, y: number, kind: string, text: string, url: string}} Over */

export class Known {
  /**
   * @param {SVGSVGElement} svg
   * @param {string} address
   * @param {number} height  of the images, to count rows from above
   * @param {(words: string) => void} tell
   */
  constructor(svg, address, height, tell) {
    this.svg = svg;
    this.address = address;
    this.height = height;
    this.tell = tell;
    /** @type {{element: SVGElement, x: number, y: number}[] | null} null until it was asked for */
    this.placed = null;
    this.size = 1;
    svg.style.display = "none";
  }

  /** Show what is known, or hide it; return whether it is shown now. */
  async toggle() {
    if (this.svg.style.display === "") {
      this.svg.style.display = "none";
      return false;
    }
    try {
      this.placed ??= await this.#load();
    } catch {
      this.tell("What is known here cannot be read now: try again.");
      return false;
    }
    this.svg.style.display = "";
    this.#place();
    return true;
  }

  /**
   * @param {string} box  what part of the image is shown
   * @param {number} size  pixels of the image in a unit of a mark
   */
  draw(box, size) {
    this.svg.setAttribute("viewBox", box);
    this.size = size;
    if (this.svg.style.display === "") this.#place();
  }

  #place() {
    for (const { element, x, y } of this.placed ?? []) element.setAttribute("transform", `translate(${x} ${y}) scale(${this.size})`);
  }

  async #load() {
    const answer = await fetch(this.address, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    /** @type {Over[]} */
    const objects = (await answer.json()).objects;
    this.tell(counted(objects));
    return objects.map((one) => {
      const element = this.#mark(one);
      this.svg.append(element);
      return { element, x: one.x + 0.5, y: this.height - one.y - 0.5 };
    });
  }

  /** @param {Over} one */
  #mark({ kind, text, url }) {
    const element = document.createElementNS(NAMESPACE, url ? "a" : "g"), path = document.createElementNS(NAMESPACE, "path");
    element.setAttribute("class", kind);
    if (url) element.setAttribute("href", url);
    if (url) element.setAttribute("aria-label", text);
    path.setAttribute("d", SHAPES[kind] ?? SHAPES.star);
    element.append(path);
    element.addEventListener("pointerenter", () => this.tell(text));
    element.addEventListener("focus", () => this.tell(text));
    return element;
  }
}

/**
 * Return in words how much is known.
 * @param {Over[]} objects
 */
export function counted(objects) {
  const words = ["detection", "star", "variable", "galaxy"].flatMap((kind) => {
    const count = objects.filter((one) => one.kind === kind).length;
    return count ? [`${count} ${count === 1 ? kind : kind === "galaxy" ? "galaxies" : `${kind}s`}`] : [];
  });
  return words.length ? `Known here: ${words.join(", ")}.` : "Neither detections nor catalogues are known here.";
}
