// The look that the person chose for all pages: this runs before the theme's own script reads what it remembers.
const THEMES = ["dark", "light", "night"];
const chosen = document.cookie.match(/(?:^|; )theme=(\w+)/)?.[1] ?? "";
document.documentElement.dataset.theme = THEMES.includes(chosen) ? chosen : "dark";
localStorage.setItem("adminTheme", JSON.stringify(chosen === "light" ? "light" : "dark"));
// The theme's own key would turn the light on.
window.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "e") event.stopImmediatePropagation();
}, { capture: true });

document.addEventListener("DOMContentLoaded", () => {
  // Past the menus, which are longer than most pages.
  const skip = Object.assign(document.createElement("a"), { className: "skip", href: "#main", textContent: "Skip to content" });
  skip.addEventListener("click", (event) => {
    event.preventDefault();
    const content = document.querySelector("#content, #main");
    if (!(content instanceof HTMLElement)) return;
    content.tabIndex = -1;
    content.focus();
  });
  document.body.prepend(skip);
  // Landmarks, which the theme lacks or names all the same: the page itself, its menus, and what scrolls within it.
  document.getElementById("main")?.setAttribute("role", "main");
  document.querySelectorAll("nav:not([aria-label])").forEach((menu, k) => {
    menu.setAttribute("aria-label", menu.id === "nav-sidebar-inner" ? "Models" : `Menu ${k}`);
  });
  document.querySelectorAll("[data-simplebar]").forEach((part, k) => {
    part.setAttribute("data-simplebar-aria-label", part.id === "nav-sidebar-apps" ? "List of models" : `Scrolled part ${k}`);
  });
  // What the theme names by a placeholder alone, which goes as soon as one types, keeps that name.
  for (const input of document.querySelectorAll("input[placeholder]:not([aria-label])")) {
    if (!(input instanceof HTMLInputElement)) continue;
    if (!input.labels || input.labels.length === 0) {
      input.setAttribute("aria-label", input.placeholder);
    }
  }
  // Icons are words in a font of pictures: beside a name they are not to be read out.
  for (const icon of document.querySelectorAll(".material-symbols-outlined")) {
    if (icon.parentElement?.textContent.trim() !== icon.textContent.trim()) {
      icon.setAttribute("aria-hidden", "true");
    }
  }
  // Long values are clipped in lists: the whole stands behind each.
  for (const cell of document.querySelectorAll("#result_list :is(td, th)")) {
    if (!(cell instanceof HTMLElement)) continue;
    const text = cell.textContent.trim().replace(/\s+/g, " ");
    if ((text.length > 16 || cell.scrollWidth > cell.clientWidth) && !cell.querySelector("[title]")) cell.title = text;
  }
  // What was refused is where one goes on.
  const refused = document.querySelector("#content-main [aria-invalid=true], #content [aria-invalid=true]");
  if (refused instanceof HTMLElement) refused.focus();
  const theme = document.getElementById("theme");
  if (theme instanceof HTMLSelectElement) {
    theme.value = document.documentElement.dataset.theme ?? "dark";
    theme.addEventListener("change", () => {
      const secure = location.protocol === "https:" ? "; secure" : "";
      document.cookie = `theme=${theme.value}; path=/; max-age=31536000; samesite=lax${secure}`;
      location.reload();
    });
  }
});
