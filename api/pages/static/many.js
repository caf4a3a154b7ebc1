// The curves of many jobs, fetched together; those of a job that has ended only once.
import { askJson } from "./api.js";
import { MOST_NAMED } from "./named.js";

const POINTS = 16_000; // on one chart, whatever the number of its curves
const MOST_POINTS = 1000;
const FEWEST_POINTS = 60;
const ENDED = new Set(["succeeded", "failed", "cancelled"]);

export class Curves {
  #known = new Map();

  /** The rows of each job by its id, up to date, with `figures` (some names) and nothing else. */
  async of(ids, figures) {
    const name = figures.join();
    const known = this.#known.get(name) ?? new Map();
    this.#known.set(name, known);
    const left = ids.filter((id) => !known.get(id)?.whole);
    const points = Math.max(FEWEST_POINTS, Math.min(MOST_POINTS, Math.floor(POINTS / ids.length)));
    for (let first = 0; first < left.length; first += MOST_NAMED) {
      const asked = new URLSearchParams({ jobs: left.slice(first, first + MOST_NAMED).join(), figures: name, max_points: points });
      for (const one of (await askJson(`/v1/metrics?${asked}`)).data) {
        known.set(one.job, { rows: rowsOf(one), whole: ENDED.has(one.status) });
      }
    }
    return known;
  }
}

function rowsOf({ epochs, figures, nonfinite }) {
  const names = Object.keys(figures);
  return epochs.map((epoch, index) => {
    const odd = names.filter((name) => nonfinite[name]?.[epoch]).map((name) => [name, nonfinite[name][epoch]]);
    return { epoch, ...Object.fromEntries(names.map((name) => [name, figures[name][index]])), ...(odd.length && { nonfinite: Object.fromEntries(odd) }) };
  });
}
