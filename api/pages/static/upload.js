// A file of one's own: sent, looked into, and its target chosen.
import { askJson } from "./api.js";
import { attempt, byId, element, say } from "./dom.js";

/** Take files that are chosen, or dropped anywhere on the page; `use` gets the dataset as a spec names it. */
export function takingFiles(use) {
  const over = (isOver) => byId("drop").classList.toggle("over", isOver);
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    over(true);
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => relatedTarget || over(false));
  document.addEventListener("drop", (event) => {
    over(false);
    const [file] = event.dataTransfer.files;
    if (!file) return;
    event.preventDefault();
    send(file, use);
  });
  byId("file").addEventListener("change", ({ target }) => target.files[0] && send(target.files[0], use));
}

async function send(file, use) {
  say("state", `Sending ${file.name}.`);
  const form = new FormData();
  form.append("file", file);
  const made = await attempt(() => askJson("/v1/datasets", { method: "POST", body: form }));
  say("state", "");
  if (made) show(made, use);
}

function show({ id, filename, profile }, use) {
  const columns = profile.columns ?? [];
  if (!columns.length) {
    byId("profile").replaceChildren(element("p", `${filename} is here.`));
    return use({ name: "upload", id });
  }
  const target = columns.at(-1).name;
  const rows = columns.map((column) => row(column, column.name === target, () => use({ name: "upload", id, target: column.name })));
  const heads = ["target", "column", "kind", "missing", "distinct", "examples"];
  byId("profile").replaceChildren(element("table", [
    element("caption", `${filename}: choose what to predict`),
    element("thead", element("tr", heads.map((name) => element("th", name, { scope: "col" })))),
    element("tbody", rows),
  ]));
  return use({ name: "upload", id, target });
}

function row(column, chosen, choose) {
  const pick = element("input", [], { type: "radio", name: "target", checked: chosen });
  pick.setAttribute("aria-label", `Predict ${column.name}`);
  pick.addEventListener("change", choose);
  const cells = [column.kind, column.missing, column.distinct, (column.examples ?? []).slice(0, 3).join(", ")];
  return element("tr", [element("td", pick), element("th", column.name, { scope: "row" }), ...cells.map((text) => element("td", String(text ?? "")))]);
}
