// A new job: a form and its JSON, each following the other, and what the service says of them before anything is queued.
import { askForKey, askJson } from "./api.js";
import { attempt, byId, element, say } from "./dom.js";
import { field, settingsOf, worded } from "./fields.js";
import { planned } from "./planned.js";
import { Refusal } from "./refusal.js";
import { specFields } from "./spec_fields.js";
import { takingFiles } from "./upload.js";

const PAUSE_MS = 400;
const PARTS = { dataset: "datasets", model: "models", loss: "losses", optimizer: "optimizers", scheduler: "schedulers" };
const OPEN = new Set(["dataset", "model"]);
const OF_THE_DATA = new Set(["name", "split", "preprocess", "augment", "loss", "metrics"]);
const FIRST = ["name", "lr", "batch_size", "epochs", "split.validation", "split.test", "seed"];

let catalog = null;
let settings = null;
let spec = null;
let timer = null;
let asked = null;

start();

async function start() {
  const found = await attempt(async () => {
    try {
      return await Promise.all([askJson("/v1/catalog"), specFields(new Set(Object.keys(PARTS)))]);
    } catch (error) {
      if (error instanceof Refusal && error.status === 401) throw new Error(askForKey(start));
      throw error;
    }
  });
  if (!found) return;
  [catalog, settings] = found;
  if ("locked" in document.body.dataset) await attempt(fromJob);
  delete document.body.dataset.locked;
  byId("spec").oninput = fromText;
  byId("submit").onclick = submit;
  document.onclick = ({ target }) => {
    if (target.dataset?.example) takeExample(target.dataset.example);
  };
  takingFiles(useFile);
  fromText();
}

// Behind a key the page came without the job that it was to begin with.
async function fromJob() {
  const id = new URLSearchParams(location.search).get("from");
  if (id) byId("spec").value = JSON.stringify((await askJson(`/v1/jobs/${encodeURIComponent(id)}`)).spec, null, 2);
}

function takeExample(name) {
  take(JSON.parse(byId(name).textContent));
  byId("gallery").open = false;
  byId("field-dataset").focus();
}

// What was chosen for other data does not fit a file that was just brought.
function useFile(dataset) {
  const kept = Object.entries(spec ?? {}).filter(([field]) => spec.dataset?.id === dataset.id || !OF_THE_DATA.has(field));
  take({ ...Object.fromEntries(kept), dataset });
}

function take(other) {
  spec = other;
  write();
  draw();
}

function fromText() {
  try {
    spec = JSON.parse(byId("spec").value);
  } catch (error) {
    planned(null, `This is no JSON: ${error.message}.`);
    return;
  }
  draw();
  plan();
}

function write() {
  byId("spec").value = JSON.stringify(spec, null, 2);
  plan();
}

function draw() {
  const isOpen = byId("more")?.open ?? false;
  const parts = Object.entries(PARTS).map(([path, kind]) => partOf(path, catalog[kind]));
  const all = [...settings.plain, ...settings.sections.flatMap(({ fields }) => fields)];
  const first = FIRST.map((path) => all.find((one) => one.path === path));
  byId("fields").replaceChildren(...parts.slice(0, 2), group(first), ...parts.slice(2), more(first, isOpen));
}

// All other settings, section by section.
function more(first, open) {
  const left = (fields) => fields.filter((one) => !first.includes(one));
  const sections = settings.sections.map(({ name, told, fields }) => group(left(fields), name, told));
  const summary = element("summary", element("h2", "More settings"));
  return element("details", [summary, group(left(settings.plain)), ...sections], { id: "more", open });
}

function group(fields, title = null, told = "") {
  const drawn = fields.map((one) => field({ ...one, told: at(one.path), onChange: change }));
  const head = title ? [element("legend", title), element("p", worded(told), { className: "quiet small" })] : [];
  return element("fieldset", [...head, element("div", drawn, { className: "grid" })]);
}

function partOf(path, known) {
  const told = spec?.[path];
  const name = typeof told === "string" ? told : told?.name;
  const select = element("select", [
    ...(OPEN.has(path) ? [] : [element("option", "default", { value: "" })]),
    ...known.map((one) => element("option", one.name, { value: one.name })),
  ], { id: `field-${path}` });
  select.dataset.path = path;
  select.value = name ?? "";
  select.addEventListener("input", () => choose(path, select.value));
  const part = known.find((one) => one.name === name);
  const inner = part ? settingsOf({ path, part, told, onChange: change }) : [];
  return element("fieldset", [
    element("div", [element("label", path, { htmlFor: select.id }), select, element("small", worded(part?.summary ?? ""), { className: "quiet" })], { className: "field part" }),
    element("div", inner, { className: "grid" }),
  ]);
}

function choose(path, name) {
  spec = { ...spec };
  if (name) spec[path] = name;
  else delete spec[path];
  write();
  draw();
  byId(`field-${path}`).focus();
}

function at(path) {
  return path.split(".").reduce((value, name) => (value && typeof value === "object" ? value[name] : undefined), spec);
}

// A setting within a part or a section; without settings a part is its name again, and a section is left out.
function change(path, value) {
  const [outer, inner] = path.split(".");
  spec = { ...spec };
  if (inner === undefined) put(spec, outer, value);
  else {
    const section = typeof spec[outer] === "string" ? { name: spec[outer] } : { ...spec[outer] };
    put(section, inner, value);
    const names = Object.keys(section);
    put(spec, outer, names.length === 0 ? undefined : names.length === 1 && section.name ? section.name : section);
  }
  write();
}

function put(object, name, value) {
  if (value === undefined) delete object[name];
  else object[name] = value;
}

function plan() {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    try {
      planned(await askJson("/v1/jobs/plan", { method: "POST", json: spec, signal }));
    } catch (error) {
      if (!signal.aborted) planned(null, error);
    }
  }, PAUSE_MS);
}

async function submit() {
  byId("submit").disabled = true;
  say("state", "");
  const made = await attempt(() => askJson("/v1/jobs", { method: "POST", json: JSON.parse(byId("spec").value) }));
  byId("submit").disabled = false;
  if (made) location.assign(`/jobs/${made.id}`);
}
