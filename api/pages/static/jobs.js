// The list of jobs, kept up to date, and what can be done to several at once.
import { ask } from "./api.js";
import { attempt, byId, duration, say } from "./dom.js";
import { followJobs } from "./live.js";
import { looking, losing, refresh } from "./page.js";
import { extend, forget, sketch } from "./sparks.js";

const LOOK_MS = 250;
const AT_ONCE = 4;
const BY_LOSS = new Set(["loss", "-loss"]);

const { look, now } = looking(LOOK_MS, sketch);
const elsewhere = new Map(); // jobs that are not among those shown, each with the status in which it was told
start();

async function start() {
  if ("locked" in document.body.dataset && !(await attempt(() => refresh(start)))) return;
  delete document.body.dataset.locked;
  document.addEventListener("visibilitychange", look);
  followJobs({ onChange, onReset, onLost: losing(look) });
}

function onReset() {
  forget();
  look();
}

function onChange(change) {
  if (change.type === "progress") return progress(change);
  if (change.type === "job") extend(change.data);
  if (concerns(change)) look();
  return undefined;
}

// A job that is not shown may come to be when it is new or its status changes, not each time it learned something: but
// where the list is by what jobs learn.
function concerns({ job, data: { status } }) {
  if (byId(job) || BY_LOSS.has(byId("filters").elements.order.value)) return true;
  const known = elsewhere.get(job);
  elsewhere.set(job, status);
  return known !== status;
}

function progress({ job, data: { epoch, epochs, step, steps, eta_s: left } }) {
  const row = byId(job);
  if (!row) return;
  row.querySelector("progress").value = (epoch - 1 + step / Math.max(1, steps)) / Math.max(1, epochs);
  row.querySelector(".left").textContent = left === null ? "" : `${duration(left)} left`;
}

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
  await now();
  say("problem", refused.length ? [`${ids.length - refused.length} of ${ids.length} ${done}.`, ...new Set(refused)].join("\n") : "");
  return count();
}
