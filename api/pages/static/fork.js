// A fork of the job that is looked at: where it leaves, and what it does differently.
import { askJson } from "./api.js";
import { byId, readJson, tell } from "./dom.js";

/** Let the form make forks of the job. */
export function forking(id) {
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "fork-form") return;
    event.preventDefault();
    fork(id, event.target);
  });
}

/** Put the epoch that was clicked into the form. */
export function chooseEpoch(epoch) {
  const field = byId("fork-epoch");
  if (!field) return;
  field.value = epoch;
  byId("fork-more").open = true;
  field.focus();
}

async function fork(id, form) {
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const patch = readJson(form.elements.patch.value);
    const made = await askJson(`/v1/jobs/${id}/fork`, { method: "POST", json: { epoch: Number(form.elements.epoch.value), patch } });
    location.assign(`/jobs/${made.id}`);
  } catch (error) {
    tell("fork-problem", error.message);
  }
  button.disabled = false;
}
