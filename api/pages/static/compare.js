// Any number of jobs on one chart; the address carries what is looked at, so that it can be opened elsewhere.
import { askJson } from "./api.js";
import { create } from "./chart.js";
import { add, History, seconds } from "./curves.js";
import { attempt, byId, paced, say } from "./dom.js";
import { followJobs } from "./live.js";
import { excuse, refresh } from "./page.js";

const POINTS = 24_000;
const MOST_POINTS = 1000;
const FEWEST_POINTS = 60;
const AT_ONCE = 4;
const COLOURS = 8;
const LOOK_MS = 1000;
const ENDED = new Set(["succeeded", "failed", "cancelled"]);

const jobs = new Map();
let chart = null;

const look = paced(LOOK_MS, lookAgain);
start();

async function start() {
  if ("locked" in document.body.dataset && !(await attempt(() => refresh(start)))) return;
  delete document.body.dataset.locked;
  document.addEventListener("visibilitychange", look);
  const onChange = ({ type, job }) => type !== "progress" && byId(job) && look();
  followJobs({ onChange, onReset: look, onLost });
}

function onLost(refusal) {
  say("state", excuse(refusal));
  if (!refusal.passing) look();
}

async function lookAgain() {
  if (document.hidden) return;
  try {
    if (!(await refresh(look))) return;
    say("state", "");
    await begin();
    await fetchAll();
    draw();
  } catch (error) {
    say("state", excuse(error));
    if (error.passing) look();
  }
}

async function begin() {
  if (chart || !byId("chart")) return;
  const form = byId("axes");
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (name !== "jobs" && form.elements[name]) form.elements[name].value = value;
  }
  if (!new URLSearchParams(location.search).has("metric")) prefer(form.elements.metric, "val_loss");
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    remember(form);
    draw();
  });
  chart = await attempt(() => create(byId("chart")));
}

function prefer(select, name) {
  if ([...select.options].some((one) => one.value === name)) select.value = name;
}

function remember(form) {
  const address = new URL(location);
  for (const { name, value } of form.elements) address.searchParams.set(name, value);
  history.replaceState(null, "", address);
}

// A few at a time; of a job that has ended once, of any other what came since.
async function fetchAll() {
  const rows = [...document.querySelectorAll("#compared tbody tr")];
  const points = Math.max(FEWEST_POINTS, Math.min(MOST_POINTS, Math.floor(POINTS / Math.max(1, rows.length))));
  const left = rows.filter((row) => !jobs.get(row.id)?.whole);
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let row = left.shift(); row; row = left.shift()) await fetchOne(row, points);
  }));
}

async function fetchOne(row, points) {
  const job = jobs.get(row.id) ?? { of: new History(), whole: false };
  jobs.set(row.id, job);
  const after = job.of.rows.at(-1)?.epoch ?? 0;
  const { data, status } = await askJson(`/v1/jobs/${row.id}/metrics?after=${after}&max_points=${points}`);
  job.of.add(data);
  job.whole = ENDED.has(status) && ENDED.has(row.dataset.status);
}

function draw() {
  if (!chart) return;
  const { metric, along, scale, smooth } = byId("axes").elements;
  const picture = { panels: [{ title: metric.value.replaceAll("_", " "), log: scale.value === "log" }], along: along.value === "time" ? "seconds" : "epoch", curves: [], marks: [] };
  [...document.querySelectorAll("#compared tbody tr")].forEach((row, index) => {
    const rows = jobs.get(row.id)?.of.rows ?? [];
    const x = along.value === "time" ? seconds(rows) : rows.map((one) => one.epoch);
    const label = [row.dataset.name, row.dataset.told].filter(Boolean).join(": ");
    add(picture, { rows, x, name: metric.value, label, panel: 0, colour: `c${(index % COLOURS) + 1}`, dash: Math.floor(index / COLOURS), smooth: Number(smooth.value) });
  });
  chart.set(picture);
}
