// Dark unless the person has chosen otherwise: this runs before the theme is read.
if (localStorage.getItem("adminTheme") === null) {
  localStorage.setItem("adminTheme", JSON.stringify("dark"));
}

document.addEventListener("DOMContentLoaded", () => {
  // What the theme names by a placeholder alone, which goes as soon as one types, keeps that name.
  for (const input of document.querySelectorAll("input[placeholder]:not([aria-label])")) {
    if (!input.labels || input.labels.length === 0) {
      input.setAttribute("aria-label", input.placeholder);
    }
  }
  // Icons are words in a font of pictures: beside a name they are not to be read out.
  for (const icon of document.querySelectorAll(".material-symbols-outlined")) {
    if (icon.parentElement.textContent.trim() !== icon.textContent.trim()) {
      icon.setAttribute("aria-hidden", "true");
    }
  }
});
