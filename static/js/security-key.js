// Asks a security key, for a new one or at the second step of a log-in, and sends what it answers.

import { say } from "./site.js";

const form = document.querySelector("form[data-key]");
const options = document.getElementById("key-options")?.textContent;

/** @param {PublicKeyCredentialCreationOptionsJSON & PublicKeyCredentialRequestOptionsJSON} asked */
function answerTo(asked) {
  return form instanceof HTMLFormElement && form.dataset.key === "add"
    ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) })
    : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) });
}

form?.addEventListener("submit", async (event) => {
  const answer = form.querySelector("input[name=credential]");
  if (!(form instanceof HTMLFormElement) || !(answer instanceof HTMLInputElement) || answer.value || !options) return;
  event.preventDefault();
  if (!("PublicKeyCredential" in window) || !("parseRequestOptionsFromJSON" in PublicKeyCredential)) {
    say("Security keys need a newer browser, and the site by its name over HTTPS.", "error");
    return;
  }
  try {
    const credential = await answerTo(JSON.parse(options).publicKey);
    if (!(credential instanceof PublicKeyCredential)) return;
    answer.value = JSON.stringify(credential.toJSON());
    form.submit();
  } catch (error) {
    say(`The key gave no answer: ${error instanceof Error ? error.message : error}`, "error");
  }
});
