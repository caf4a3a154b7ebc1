// What the service says of a spec: what the job would be, or what is wrong with it and where.
import { byId, duration, element } from "./dom.js";

/** Show a plan, or an error with each of its problems, also at the fields they are about. */
export function planned(plan, error = null) {
  for (const field of document.querySelectorAll("#fields [aria-invalid]")) field.removeAttribute("aria-invalid");
  byId("planned").replaceChildren(error ? wrong(error) : facts(plan));
}

function wrong(error) {
  if (typeof error === "string") return element("p", error, { className: "notice bad" });
  const problems = error.problem?.errors ?? [];
  for (const { pointer } of problems) mark(pointer);
  if (!problems.length) return element("p", error.message, { className: "notice bad" });
  return element("ul", problems.map((one) => element("li", [element("code", one.pointer || "/"), ` ${one.message}`])), { className: "notice bad" });
}

function mark(pointer) {
  const [outer, inner] = pointer.split("/").slice(1);
  for (const path of [`${outer}.${inner}`, outer]) {
    const field = document.querySelector(`#fields [data-path="${CSS.escape(path)}"]`);
    if (field) return field.setAttribute("aria-invalid", "true");
  }
  return undefined;
}

function facts(plan) {
  const rows = [
    ["parameters", count(plan.parameters)],
    ["samples", ["train", "validation", "test"].map((part) => [part, plan.samples?.[part]]).filter(([, many]) => many).map(([part, many]) => `${count(many)} ${part}`).join(", ")],
    ["steps", `${count(plan.steps)} (${count(plan.steps_per_epoch)} an epoch)`],
    ["memory", size(plan.memory?.peak_bytes)],
    ["time", plan.seconds && duration(plan.seconds.total_s)],
    ["runs on", plan.runs_on?.device],
  ].filter(([, value]) => value);
  const table = element("table", element("tbody", rows.map(([name, value]) => element("tr", [element("th", name, { scope: "row" }), element("td", value)]))));
  return element("div", [table, ...plan.notes.map((note) => element("p", note, { className: "quiet small" }))]);
}

function count(value) {
  return value?.toLocaleString("en") ?? null;
}

function size(bytes) {
  if (bytes === undefined || bytes === null) return null;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
