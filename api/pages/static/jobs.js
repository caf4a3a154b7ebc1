// The live list of jobs. It uses nothing but the public API; what users typed only ever becomes text.
const EVERY_MS = 1000;
const AFTER_ERROR_MS = 4000;
const SHOWN = 50;
const KEY = "trainwire-key";

const table = document.getElementById("jobs");
const state = document.getElementById("state");
const form = document.getElementById("key");
let etag = null;
let timer = null;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, form.elements.key.value);
  form.elements.key.value = "";
  form.hidden = true;
  look();
});
document.addEventListener("visibilitychange", () => document.hidden || look());
look();

async function look() {
  clearTimeout(timer);
  let wait = EVERY_MS;
  try {
    wait = (await show(await fetch(`/v1/jobs?limit=${SHOWN}`, { headers: headers(), cache: "no-store" }))) ?? EVERY_MS;
  } catch {
    say("The service does not answer; asking again.");
    wait = AFTER_ERROR_MS;
  }
  if (wait && !document.hidden) timer = setTimeout(look, wait);
}

function headers() {
  const key = sessionStorage.getItem(KEY);
  return { ...(key && { Authorization: `Bearer ${key}` }), ...(etag && { "If-None-Match": etag }) };
}

// Returns the milliseconds until the next look, 0 for none; undefined means the usual.
async function show(answer) {
  if (answer.status === 304) return say("");
  if (answer.status === 401) return askForKey();
  if (!answer.ok) throw new Error(answer.statusText);
  etag = answer.headers.get("ETag");
  const page = await answer.json();
  table.replaceChildren(...page.data.map(row));
  say(page.data.length ? "" : "No jobs yet: POST a spec to /v1/jobs, or run `trainwire demo`.");
}

function askForKey() {
  say(sessionStorage.getItem(KEY) === null ? "" : "That is not its key.");
  sessionStorage.removeItem(KEY);
  etag = null;
  form.hidden = false;
  return 0;
}

function say(text) {
  if (state.textContent !== text) state.textContent = text;
}

function row(job) {
  const latest = job.latest ?? {};
  const name = element("th", element("a", job.name, { href: `/v1/jobs/${encodeURIComponent(job.id)}` }), { scope: "row" });
  return element("tr", [
    name,
    element("td", [job.status, job.status_reason].filter(Boolean).join(": "), { className: job.status }),
    element("td", bar(job)),
    element("td", latest.epoch === undefined ? "" : `${latest.epoch} / ${job.spec.epochs}`),
    element("td", figure(latest, "train_loss")),
    element("td", figure(latest, "val_loss")),
  ]);
}

function bar(job) {
  const ended = job.finished_at !== null;
  if (!job.progress && !ended) return "";
  const done = job.status === "succeeded" ? 1 : share(job.progress);
  const made = element("progress", `${Math.round(100 * done)} %`, { max: 1, value: done });
  made.setAttribute("aria-label", `Progress of ${job.name}`);
  return made;
}

function share(progress) {
  if (!progress) return 0;
  const steps = Math.max(1, progress.steps);
  return Math.min(1, (progress.epoch - 1 + progress.step / steps) / progress.epochs);
}

function figure(latest, name) {
  const odd = latest.nonfinite?.[name];
  if (odd) return odd;
  return typeof latest[name] === "number" ? latest[name].toPrecision(4) : "";
}

function element(tag, inside, properties = {}) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...[inside].flat());
  return made;
}
