// Trying the trained model: rows or a file in, its predictions as a table.
import { ask, askJson } from "./api.js";
import { byId, element, readJson, tell } from "./dom.js";

const TYPES = { csv: "text/csv", tsv: "text/tab-separated-values", jsonl: "application/jsonl", json: "application/json", txt: "text/plain" };
const MOST_ROWS = 200;
const DIGITS = 5;
const MOST_NAMES = 24;

/** Wire the form up once it is there, with a sample that this model takes. */
export async function predicting(id) {
  const form = byId("predict-form");
  if (!form || form.dataset.ready) return;
  form.dataset.ready = "yes";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    predict(id, form);
  });
  const card = await askJson(`/v1/jobs/${id}/artifacts/model.json`).catch(() => null);
  const field = form.elements.rows;
  if (card && !field.value) field.value = JSON.stringify(sample(card), null, 1).replace(/\n\s+(?=[-\d"\]}])/g, " ");
}

async function predict(id, form) {
  const button = form.querySelector("button");
  button.disabled = true;
  tell("predict-problem", "");
  try {
    const answer = await ask(`/v1/jobs/${id}/predict`, { method: "POST", ...bodyOf(form) });
    byId("predicted").replaceChildren(table((await answer.json()).data));
  } catch (error) {
    tell("predict-problem", error.message);
  }
  button.disabled = false;
}

function bodyOf(form) {
  const [file] = form.elements.file.files;
  if (!file) return { json: readJson(form.elements.rows.value) };
  const type = file.type || TYPES[file.name.split(".").pop().toLowerCase()] || "application/octet-stream";
  return { body: file, headers: { "Content-Type": type } };
}

// What the model was trained on, at its mean: a sample to begin with.
function sample({ shape, features, preprocess }) {
  if (shape.vocabulary !== null && !preprocess.columns) return { text: "The " };
  const columns = Array.isArray(preprocess.columns) ? preprocess.columns.map((one) => one.name ?? one) : null;
  const names = columns ?? features;
  const shift = preprocess.features?.shift ?? [];
  if (names && names.length <= MOST_NAMES) return { rows: [Object.fromEntries(names.map((name, index) => [name, rounded(shift[index])]))] };
  const count = shape.features.reduce((product, one) => product * one, 1);
  return { rows: [Array.from({ length: count }, (_, index) => rounded(shift[index]))] };
}

function rounded(value) {
  return Number((value ?? 0).toPrecision(3));
}

function table(rows) {
  const flat = rows.slice(0, MOST_ROWS).map((row) => Object.fromEntries(cells(row)));
  const names = [...new Set(flat.flatMap(Object.keys))];
  const head = element("tr", names.map((name) => element("th", name, { scope: "col" })));
  const body = flat.map((row) => element("tr", names.map((name) => element("td", row[name] ?? ""))));
  return element("table", [
    element("caption", rows.length > MOST_ROWS ? `The first ${MOST_ROWS} of ${rows.length} predictions` : "Predictions"),
    element("thead", head),
    element("tbody", body),
  ]);
}

function cells(row) {
  return Object.entries(row).flatMap(([name, value]) => {
    if (value === null || typeof value !== "object") return [[name, shown(value)]];
    if (Array.isArray(value)) return [[name, value.map(shown).join(", ").slice(0, 500)]];
    return Object.entries(value).map(([inner, one]) => [inner, shown(one)]);
  });
}

function shown(value) {
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(DIGITS)));
  return value !== null && typeof value === "object" ? JSON.stringify(value).slice(0, 500) : String(value ?? "");
}
