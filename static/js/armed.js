// What goes with the next answer: how sure, a note, tags, and grades of quality. With each item it begins afresh.

import { at, part } from "./dom.js";

const BARS = ["▂", "▄", "▆", "█"];

/**
 * @typedef {object} With
 * @property {string} level
 * @property {string} note
 * @property {string[]} tags
 * @property {string} imageQuality  "" for none
 * @property {string} detectionQuality
 */

export class Armed {
  constructor() {
    this.note = part("#note", HTMLTextAreaElement);
    this.tags = part("#tags", HTMLInputElement);
    this.grades = { image: at("image-quality"), detection: at("detection-quality") };
    this.usualLevel = at("levels").dataset.default ?? "";
    this.note.addEventListener("keydown", (event) => { if (event.key === "Escape") this.note.blur(); });
    // One line: with Enter it is complete, and the keys are free again.
    this.tags.addEventListener("keydown", (event) => { if (["Escape", "Enter"].includes(event.key)) this.tags.blur(); });
  }

  /** @returns {With} */
  get current() {
    return {
      level: part("[name=level]:checked", HTMLInputElement).value,
      note: this.note.value,
      tags: [...new Set(this.tags.value.split(",").map((tag) => tag.trim()).filter(Boolean))],
      imageQuality: this.grades.image.dataset.grade ?? "",
      detectionQuality: this.grades.detection.dataset.grade ?? "",
    };
  }

  /**
   * Begin with another item.
   * @param {string} note  what was written about it before
   */
  begin(note) {
    this.note.value = note;
    this.tags.value = "";
    for (const control of Object.values(this.grades)) grade(control, "");
    part(`[name=level][value="${this.usualLevel}"]`, HTMLInputElement).checked = true;
  }

  /**
   * Turn to the next grade; after the last comes none.
   * @param {HTMLElement} control
   */
  nextGrade(control) {
    const grades = (control.dataset.grades ?? "").split(" ");
    grade(control, grades[grades.indexOf(control.dataset.grade ?? "") + 1] ?? "");
  }
}

/**
 * @param {HTMLElement} control
 * @param {string} value
 */
function grade(control, value) {
  const { title = "", grades = "" } = control.dataset;
  control.dataset.grade = value;
  // A bar, as high as the grade is good: words are too long for the place.
  part("[data-value]", HTMLElement, control).textContent = BARS[grades.split(" ").indexOf(value)] ?? "–";
  control.title = `${title} quality: ${value || "not graded"}; each press is the next grade`;
  part("[data-spoken]", HTMLElement, control).textContent = `quality: ${value || "not graded"} `;
  control.classList.toggle("set", Boolean(value));
}
