// Many jobs as lines across axes: one for each setting in which they differ, the last for their figure.
import { figure } from "./dom.js";

const FEW_VALUES = 7;
const MOST_WORDS = 12;
const WIDE = 20; // the greatest this many times the least: equal ratios are drawn equally far
const ABOVE_NONE = 0.12;
const APART = 0.045;
const LONGEST = 18;

/** The picture of jobs, each `{name, settings, row, shade}`; the better ones are drawn over the others. */
export function parallelOf(jobs, metric) {
  const names = Object.keys(jobs[0]?.settings ?? {});
  const axes = names.map((name) => axisOf(name, jobs.map((job) => job.settings[name])));
  axes.push(axisOf(metric.replaceAll("_", " "), jobs.map((job) => job.row[metric]), jobs.map((job) => figure(job.row, metric))));
  const lines = jobs.map(({ name, shade }, index) => ({
    name, shade, y: axes.map((axis) => axis.y[index]), text: axes.map((axis) => `${axis.title} ${axis.told[index]}`),
  }));
  lines.sort((one, other) => one.shade - other.shade);
  return { axes: axes.map(({ title, ticks }) => ({ title, ticks })), lines };
}

// `y` is each value's place between 0 and 1, `ticks` the places that are named.
function axisOf(title, values, told = values.map(words)) {
  const numbers = values.filter((value) => typeof value === "number");
  const isNumeric = numbers.length > 0 && values.every((value) => value === null || value === undefined || typeof value === "number");
  const { place, named } = isNumeric ? scale(numbers, numbers.length < values.length) : steps(values.map(words));
  return { title, told, y: values.map((value) => place(isNumeric ? value : words(value))), ticks: ticksOf(named, place) };
}

function scale(numbers, someNone) {
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const bent = least > 0 && most / least >= WIDE ? Math.log : Number;
  const foot = someNone ? ABOVE_NONE : 0;
  const back = bent === Math.log ? Math.exp : Number;
  const distinct = [...new Set(numbers)].sort((one, other) => one - other);
  const middle = back((bent(least) + bent(most)) / 2);
  const place = (value) => {
    if (typeof value !== "number") return 0;
    return foot + (1 - foot) * (least === most ? 0.5 : (bent(value) - bent(least)) / (bent(most) - bent(least)));
  };
  return { place, named: [...(someNone ? [null] : []), ...(distinct.length <= FEW_VALUES ? distinct : [least, middle, most])] };
}

function steps(texts) {
  const distinct = [...new Set(texts)].sort(new Intl.Collator("en", { numeric: true }).compare);
  const places = new Map(distinct.map((text, index) => [text, distinct.length === 1 ? 0.5 : index / (distinct.length - 1)]));
  const every = Math.ceil(distinct.length / MOST_WORDS);
  return { place: (text) => places.get(text), named: distinct.filter((_, index) => index % every === 0) };
}

// Two names so near that they would cover each other are one.
function ticksOf(named, place) {
  const ticks = [];
  for (const value of named) {
    const at = place(value);
    if (!ticks.length || at - ticks.at(-1).at >= APART) ticks.push({ at, text: short(words(value)) });
  }
  return ticks;
}

function words(value) {
  if (value === null || value === undefined) return "none";
  if (typeof value === "number") return String(Number(value.toPrecision(4)));
  return typeof value === "string" ? value : JSON.stringify(value);
}

function short(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}
