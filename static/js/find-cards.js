// Narrows the cards of a header to those that hold what one types.

const field = document.getElementById("find-card");
const cards = [...document.querySelectorAll("#header-cards > div")];
field?.addEventListener("input", () => {
  const wanted = field.value.toLowerCase();
  for (const card of cards) card.hidden = !card.textContent.toLowerCase().includes(wanted);
});
