// The list of jobs, kept up to date, and what can be done to several at once.
import { ask } from "./api.js";
import { followJobs } from "./live.js";
import { byId, say } from "./dom.js";
import { excuse, refresh } from "./page.js";

const AFTER_ERROR_MS = 4000;
const AT_ONCE = 4;

const look = followJobs(async () => {
  try {
    const shown = await refresh(() => look());
    say("state", "");
    return shown ? undefined : null;
  } catch (error) {
    say("state", excuse(error));
    return AFTER_ERROR_MS;
  }
});

byId("chosen").addEventListener("change", count);
byId("chosen").addEventListener("submit", compare);
byId("chosen").addEventListener("click", ({ target }) => {
  if (target.id === "cancel-chosen") toAll("cancelled", (id) => ask(`/v1/jobs/${id}/cancel`, { method: "POST" }));
  if (target.id === "delete-chosen" && confirm(`Delete ${told()} with all files? This cannot be undone.`)) {
    toAll("deleted", (id) => ask(`/v1/jobs/${id}`, { method: "DELETE" }));
  }
});

function chosen() {
  return [...document.querySelectorAll("input[name=jobs]:checked")].map((box) => box.value);
}

function told() {
  const many = chosen().length;
  return many === 1 ? "1 job" : `${many} jobs`;
}

function count() {
  say("chosen-count", chosen().length ? `for ${told()}` : "for the jobs that are ticked");
}

function compare(event) {
  event.preventDefault();
  if (chosen().length) location.assign(`/compare?jobs=${chosen().join(",")}`);
  else say("chosen-count", "Tick the jobs first.");
}

async function toAll(done, act) {
  const ids = chosen();
  if (!ids.length) return say("chosen-count", "Tick the jobs first.");
  const refused = [];
  const left = [...ids];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let id = left.shift(); id; id = left.shift()) await act(id).catch((error) => refused.push(error.message));
  }));
  await look();
  say("problem", refused.length ? [`${ids.length - refused.length} of ${ids.length} ${done}.`, ...new Set(refused)].join("\n") : "");
  return count();
}
