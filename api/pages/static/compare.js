// Any number of jobs on one chart; the address carries what is looked at, so that it can be opened elsewhere.
import { recall, remember } from "./axes.js";
import { create } from "./chart.js";
import { add, NAMED, seconds } from "./curves.js";
import { attempt, byId, say } from "./dom.js";
import { finding } from "./find.js";
import { followJobs } from "./live.js";
import { Curves } from "./many.js";
import { excuse, looking, losing, refresh } from "./page.js";
import { shadeStyle } from "./paint.js";
import { parallelOf } from "./parallel.js";

const LOOK_MS = 1000;
const COLOURS = 8;
const USUAL = "val_loss";

const curves = new Curves();
let place = null;
let chart = null;

const { look } = looking(LOOK_MS, bring);
start();

// What the service drew is fresh: the curves are begun before the stream, whose first word is to read again.
async function start() {
  if ("locked" in document.body.dataset && !(await attempt(() => refresh(start)))) return;
  delete document.body.dataset.locked;
  finding({ onChange: look });
  document.addEventListener("submit", (event) => event.target.id === "axes" && event.preventDefault());
  document.addEventListener("input", onInput);
  document.addEventListener("visibilitychange", look);
  await bring().catch((error) => say("state", excuse(error)));
  const onChange = ({ type, job }) => type !== "progress" && byId(job) && look();
  followJobs({ onChange, onReset: look, onLost: losing(look) });
}

function onInput({ target }) {
  if (target.form?.id !== "axes") return;
  remember(target.form);
  attempt(bring);
}

/** Draw what the form asks for. */
async function bring() {
  const rows = [...document.querySelectorAll("#compared tbody tr")];
  if (place !== byId("chart")) {
    place = byId("chart");
    chart = place && create(place);
  }
  if (!rows.length) return;
  const form = settle();
  const asked = asking(form);
  const known = asked.view === "parallel" ? null : await curves.of(rows.map((row) => row.id), figuresOf(form, asked));
  const jobs = jobsOf(rows, asked.metric, form.dataset.rising.split(" "), known);
  const picture = known ? pictureOf(jobs, asked) : parallelOf(jobs, asked.metric);
  place.style.setProperty("--axes", picture.axes?.length ?? 1);
  chart.set(picture);
}

function settle() {
  const form = byId("axes");
  const { metric } = form.elements;
  if (!metric.value || !new URLSearchParams(location.search).has("metric")) metric.value = USUAL;
  recall(form);
  return form;
}

// Jobs without an epoch have no figure to choose.
function asking(form) {
  return { metric: "", ...Object.fromEntries(new FormData(form)) };
}

function figuresOf(form, { metric, along }) {
  const rounds = "rounds" in form.dataset ? ["fold", "seed"] : [];
  return [...(metric ? [metric] : []), ...rounds, ...(along === "time" || !metric ? ["epoch_s"] : [])];
}

// `shade` is a job's place among all by its best figure, from 0 to 1, which is the best.
function jobsOf(rows, metric, rising, known) {
  const jobs = rows.map((row) => jobOf(row, known?.get(row.id)));
  const sign = rising.includes(metric) ? 1 : -1;
  const ranked = jobs.filter((job) => typeof job.row[metric] === "number");
  ranked.sort((one, other) => sign * (one.row[metric] - other.row[metric]));
  ranked.forEach((job, index) => {
    job.shade = ranked.length === 1 ? 1 : index / (ranked.length - 1);
  });
  rows.forEach((row, index) => {
    row.querySelector(".swatch").style.color = known && jobs.length <= NAMED ? "" : shadeStyle(jobs[index].shade);
  });
  return jobs;
}

function jobOf({ id, dataset }, curve) {
  const { name, told } = dataset;
  const [settings, row] = [JSON.parse(dataset.settings), JSON.parse(dataset.row)];
  return { id, name, told, settings, row, rows: curve?.rows ?? [], shade: 0 };
}

function pictureOf(jobs, { metric, along, scale, smooth }) {
  const title = metric.replaceAll("_", " ");
  const picture = { panels: [{ title, log: scale === "log" }], along: along === "time" ? "seconds" : "epoch", curves: [], marks: [] };
  const isMany = jobs.length > NAMED;
  const own = (index) => ({ colour: `c${(index % COLOURS) + 1}`, dash: Math.floor(index / COLOURS) });
  const drawn = jobs.map((job, index) => ({ ...job, paint: isMany ? { shade: job.shade } : own(index) }));
  if (isMany) drawn.sort((one, other) => one.shade - other.shade);
  for (const { rows, name, told, paint } of drawn) {
    const x = along === "time" ? seconds(rows) : rows.map((one) => one.epoch);
    add(picture, { rows, x, name: metric, label: [name, told].filter(Boolean).join(": "), panel: 0, ...paint, smooth: Number(smooth), shadow: !isMany });
  }
  return picture;
}
