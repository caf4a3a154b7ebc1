// The page of one job: what changes while someone looks at it.
import { ask, askJson } from "./api.js";
import { recall, remember } from "./axes.js";
import { create } from "./chart.js";
import { History, pictureOf } from "./curves.js";
import { attempt, byId, duration, paced, say } from "./dom.js";
import { downloads, pictures } from "./files.js";
import { chooseEpoch, forking } from "./fork.js";
import { followJob } from "./live.js";
import { excuse, refresh } from "./page.js";
import { predicting } from "./predict.js";
import { Refusal } from "./refusal.js";

const LOOK_MS = 500;
const MOST_POINTS = 1000;
const THIN_AGAIN = 3 * MOST_POINTS;
const STATES = new Set(["job", "progress"]); // what an entry of the log tells as well, or the bar alone
const SEEN_FROM_FAR = new Set(["status", "end"]); // what the title of a hidden tab says
const VERBS_OF_NEW_JOBS = new Set(["retry"]);

const history = { of: new History(), chart: null };
const look = paced(LOOK_MS, lookAgain);
start();

async function start() {
  if ("locked" in document.body.dataset && !(await attempt(() => refresh(start)))) return;
  const { id, at } = byId("job").dataset;
  delete document.body.dataset.locked;
  recall(byId("axes"));
  byId("axes").addEventListener("input", () => {
    remember(byId("axes"));
    draw();
  });
  byId("axes").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", onClick);
  forking(id);
  settle();
  document.addEventListener("visibilitychange", () => document.hidden || look());
  followJob(id, { after: Number(at), onEvent, onState });
  await load(id);
}

// What the page's parts need after each time they were written anew.
function settle() {
  predicting(byId("job").dataset.id);
  downloads();
  pictures();
}

async function load(id) {
  try {
    history.of.add((await askJson(`/v1/jobs/${id}/metrics?max_points=${MOST_POINTS}`)).data);
    draw();
  } catch (error) {
    if (!(error instanceof Refusal) || !error.passing) throw error;
    setTimeout(load, LOOK_MS, id);
  }
}

function draw() {
  const rows = history.of.rows;
  byId("curves").hidden = !rows.length;
  if (!rows.length) return;
  const { along, scale, smooth } = byId("axes").elements;
  const steps = Number(byId("job").dataset.steps);
  history.chart ??= create(byId("chart"), { onPick: chooseEpoch });
  history.chart.set(pictureOf(rows, { along: along.value, steps, scale: scale.value, smooth: Number(smooth.value) }));
}

function onEvent({ type, data }) {
  if (type === "progress") progress(data);
  if (type === "epoch") {
    history.of.add([data]);
    if (history.of.rows.length > THIN_AGAIN) thin();
    draw();
  }
  if (document.hidden ? SEEN_FROM_FAR.has(type) : !STATES.has(type)) look();
}

// A long run's history is asked for anew, thinned, before it makes drawing slow.
function thin() {
  history.of = new History();
  load(byId("job").dataset.id);
}

function progress({ epoch, epochs, step, steps, eta_s: left }) {
  byId("bar").value = (epoch - 1 + step / Math.max(1, steps)) / Math.max(1, epochs);
  say("how-far", `epoch ${epoch} of ${epochs}, step ${step} of ${steps}`);
  say("eta", left === null ? "" : `about ${duration(left)} left`);
}

function onState(state, error) {
  say("live", { live: "live", over: "" }[state] ?? excuse(error));
  byId("job").dataset.live = state;
  if (state !== "lost") look();
}

async function lookAgain() {
  try {
    const log = byId("log-scroll");
    const atEnd = log && log.scrollTop + log.clientHeight > log.scrollHeight - 8;
    if (await refresh(start)) settle();
    if (atEnd) log.scrollTop = log.scrollHeight;
  } catch (error) {
    say("live", excuse(error));
    if (error.passing) look();
  }
}

async function onClick({ target }) {
  if (target.dataset.copy) return copy(target);
  if (!target.dataset.verb) return;
  target.disabled = true;
  await attempt(() => doVerb(target.dataset.verb));
  target.disabled = false;
}

async function doVerb(verb) {
  const answer = await ask(`/v1/jobs/${byId("job").dataset.id}/${verb}`, { method: "POST" });
  if (VERBS_OF_NEW_JOBS.has(verb)) location.assign(`/jobs/${(await answer.json()).id}`);
  else look();
}

async function copy(button) {
  const text = byId(button.dataset.copy);
  getSelection().selectAllChildren(text);
  await navigator.clipboard?.writeText(text.textContent).catch(() => undefined);
  button.textContent = navigator.clipboard ? "Copied" : "Selected: copy it by the keyboard";
}
