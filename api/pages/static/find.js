// Choosing on the page itself which jobs are compared: found by name or id and added, or taken out of the table.
import { askJson } from "./api.js";
import { attempt, byId, element, say } from "./dom.js";

const PAUSE_MS = 250;
const SHOWN = 8;
const MOST = 200;

/** Let jobs be added and taken out; `onChange` is called once the address names the others. */
export function finding({ onChange }) {
  let timer = null;
  const search = () => attempt(show);
  byId("find").addEventListener("submit", (event) => event.preventDefault());
  byId("find").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE_MS);
  });
  document.addEventListener("click", ({ target }) => {
    const { add, drop } = target.dataset ?? {};
    if (add) change((ids) => [...ids, add].slice(0, MOST), onChange);
    if (drop) change((ids) => ids.filter((id) => id !== drop), onChange);
    if (add) target.disabled = true;
  });
}

async function show() {
  const text = byId("find").elements.text.value.trim();
  if (!text) return byId("found").replaceChildren();
  const { data } = await askJson(`/v1/jobs?${new URLSearchParams({ q: text, limit: SHOWN })}`);
  const there = new Set(chosen());
  byId("found").replaceChildren(...data.map((job) => item(job, there.has(job.id))));
  return say("found-count", data.length ? "" : "No job has this in its name or id.");
}

function item({ id, name, status, created_at: at }, isThere) {
  const button = element("button", "Add", { type: "button", disabled: isThere });
  button.dataset.add = id;
  button.setAttribute("aria-label", `Add ${name}`);
  const when = element("span", at.slice(5, 16).replace("T", " "), { className: "quiet" });
  return element("li", [button, element("span", name), element("span", status, { className: `status ${status}` }), when]);
}

function chosen() {
  return new URLSearchParams(location.search).getAll("jobs").flatMap((part) => part.split(",")).filter(Boolean);
}

function change(choose, onChange) {
  const address = new URL(location);
  const ids = [...new Set(choose(chosen()))];
  address.searchParams.delete("jobs");
  const others = address.searchParams.toString();
  address.search = [ids.length ? `jobs=${ids.join(",")}` : "", others].filter(Boolean).join("&");
  history.replaceState(null, "", address);
  onChange();
}
