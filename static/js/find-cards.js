// Narrows the cards of a header to those that hold what one types; the cards come when the header is first opened.

const field = document.getElementById("find-card");
const header = document.getElementById("header-cards");
const found = document.getElementById("found-cards");

function narrow() {
  const wanted = field.value.trim().toLowerCase();
  let shown = 0;
  const cards = header.querySelectorAll("dl > div");
  for (const card of cards) {
    card.hidden = !card.textContent.toLowerCase().includes(wanted);
    if (!card.hidden) shown += 1;
  }
  found.textContent = wanted && cards.length ? `${shown} of ${cards.length} cards` : "";
}

field?.addEventListener("input", narrow);
header?.addEventListener("htmx:afterSettle", narrow);
