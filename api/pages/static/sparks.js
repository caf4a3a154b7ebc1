// The losses of each job in the list as a small picture beside its numbers.
import { askJson } from "./api.js";
import { byId } from "./dom.js";
import { line, svg } from "./svg.js";

const POINTS = 40;
const MOST = 3 * POINTS; // so many are drawn before they are asked for anew, thinned
const [WIDTH, HEIGHT] = [88, 18];
const LOSSES = { train_loss: "c1", val_loss: "c2" };

const curves = new Map();

/** Ask for the curves that are not known yet, all in one request, and draw them. */
export async function sketch() {
  const shown = [...document.querySelectorAll("tr[data-epoch]")].map((row) => row.id);
  const ids = shown.filter((id) => !curves.has(id));
  for (const id of shown) if (curves.has(id) && !byId(id).querySelector(".spark path")) draw(id);
  if (!ids.length) return;
  const { data } = await askJson(`/v1/metrics?jobs=${ids.join(",")}&figures=${Object.keys(LOSSES)}&max_points=${POINTS}`);
  for (const { job, epochs, figures } of data) {
    curves.set(job, epochs.map((epoch, index) => ({ epoch, train_loss: figures.train_loss[index], val_loss: figures.val_loss[index] })));
    draw(job);
  }
}

/** Take a job's newest epoch over from what was told of it. */
export function extend({ id, latest }) {
  const rows = curves.get(id);
  if (!latest || !rows || latest.epoch <= (rows.at(-1)?.epoch ?? 0)) return;
  rows.push(latest);
  draw(id);
  if (rows.length > MOST) curves.delete(id);
}

/** Epochs may have been missed: ask for all curves anew. */
export function forget() {
  curves.clear();
}

function draw(id) {
  const rows = curves.get(id);
  const place = byId(id)?.querySelector(".spark");
  if (!place || !rows.length) return;
  const values = rows.flatMap((row) => Object.keys(LOSSES).map((name) => row[name])).filter(Number.isFinite);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = ({ epoch }) => (WIDTH * (epoch - rows[0].epoch)) / Math.max(1, rows.at(-1).epoch - rows[0].epoch);
  const y = (value) => HEIGHT - 1 - ((HEIGHT - 2) * (value - low)) / (high - low || 1);
  // A figure that is no number is a gap.
  const points = (name) => rows.map((row) => [x(row), Number.isFinite(row[name]) ? y(row[name]) : null]);
  place.replaceChildren(...Object.entries(LOSSES).map(([name, colour]) => svg("path", { d: line(points(name)), class: colour })));
}
