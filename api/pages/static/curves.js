// From epochs' figures to the picture that a chart draws: panels, smoothing, gaps and marks.
const TIMES = new Set(["epoch", "fold", "seed", "lr", "epoch_s", "samples_per_s", "data_wait_s", "nonfinite"]);
const LOSSES = ["train_loss", "val_loss"];
const COLOURS = ["c3", "c4", "c5", "c6", "c7"];

/** Curves that a legend can name; of more, each has a shade by how good it is. */
export const NAMED = 24;

const ALONG = {
  epoch: (rows) => ({ title: "epoch", x: rows.map((row) => row.epoch) }),
  step: (rows, steps) => ({ title: "step", x: rows.map((row) => row.epoch * steps) }),
  time: (rows) => ({ title: "seconds", x: seconds(rows) }),
};

/** The epochs known of a job: each once, whatever brings it and however often. */
export class History {
  #rows = new Map();

  add(rows) {
    for (const row of rows) this.#rows.set(row.epoch, row);
  }

  get rows() {
    return [...this.#rows.values()].sort((one, other) => one.epoch - other.epoch);
  }
}

/** The metrics among rows, in the order they came. */
export function metricsOf(rows) {
  const names = new Set(rows.flatMap(Object.keys));
  return [...names].filter((name) => !TIMES.has(name) && !LOSSES.includes(name));
}

/** Losses, metrics and lr of one job, one panel below the other; `steps` are those of an epoch. */
export function pictureOf(rows, { along, steps, scale, smooth }) {
  const panels = [{ title: "loss", log: scale === "log", names: LOSSES }, ...metricPanels(rows), { title: "lr", fromZero: true, names: ["lr"] }];
  const colours = { train_loss: "c1", val_loss: "c2", lr: "c8" };
  metricsOf(rows).forEach((name, index) => {
    colours[name] = COLOURS[index % COLOURS.length];
  });
  const axis = ALONG[along](rows, steps);
  const picture = { panels, along: axis.title, curves: [], marks: [] };
  panels.forEach(({ names }, panel) => {
    for (const name of names.filter((one) => rows.some((row) => one in row && row[one] !== undefined))) {
      add(picture, { rows, x: axis.x, name, label: name.replaceAll("_", " "), panel, colour: colours[name], smooth: name === "lr" ? 0 : smooth });
    }
  });
  return picture;
}

/** One figure of rows as a curve of `picture`, with its marks; where it is smoothed the figures themselves stay, as its shadow. */
export function add(picture, { rows, x, name, label, panel, colour, shade, dash = 0, smooth, shadow = true }) {
  const whole = broken(rows, x, name);
  if (!whole.y.some((value) => value !== null) && !whole.odd.length) return;
  const curve = { name: label, panel, colour, shade, dash, ...whole };
  if (smooth > 0 && shadow) picture.curves.push({ ...curve, faint: true });
  picture.curves.push(smooth > 0 ? { ...curve, y: smoothed(whole.y, whole.epochs, smooth) } : curve);
  if (whole.odd.length) picture.marks.push({ panel, x: whole.odd, name: label });
}

// Folds and seeds begin anew: the line is broken there, as it is where a figure is no number.
function broken(rows, x, name) {
  const found = { x: [], y: [], epochs: [], odd: [] };
  rows.forEach((row, index) => {
    const before = rows[index - 1];
    if (before && (before.fold !== row.fold || before.seed !== row.seed)) push(found, x[index], null, row.epoch);
    push(found, x[index], row[name] ?? null, row.epoch);
    if (row.nonfinite?.[name]) found.odd.push(x[index]);
  });
  return found;
}

function push(found, x, y, epoch) {
  found.x.push(x);
  found.y.push(y);
  found.epochs.push(epoch);
}

// An exponential mean over epochs, corrected for its beginning (Kingma & Ba, 2014); it begins anew behind a gap. In a
// thinned history a value stands for the epochs since the one before it, so that thinning does not smooth more.
function smoothed(values, epochs, weight) {
  let mean = 0;
  let share = 0;
  return values.map((value, index) => {
    if (value === null) {
      mean = share = 0;
      return null;
    }
    const old = share === 0 ? weight : weight ** (epochs[index] - epochs[index - 1]);
    mean = old * mean + (1 - old) * value;
    share = old * share + (1 - old);
    return mean / share;
  });
}

// Metrics between -1 and 1 share a panel; any other has its own, since it has its own unit.
function metricPanels(rows) {
  const metrics = metricsOf(rows);
  const large = metrics.filter((name) => rows.some((row) => Math.abs(row[name] ?? 0) > 1));
  const small = metrics.filter((name) => !large.includes(name));
  const panels = large.map((name) => ({ title: name.replace("val_", "").replaceAll("_", " "), names: [name] }));
  return small.length ? [{ title: small.length === 1 ? small[0].replace("val_", "").replaceAll("_", " ") : "metrics", names: small }, ...panels] : panels;
}

// Seconds of training at each row's end; in a thinned history each row stands for those left out before it.
export function seconds(rows) {
  let sum = 0;
  return rows.map((row, index) => {
    sum += (row.epoch - (rows[index - 1]?.epoch ?? row.epoch - 1)) * (row.epoch_s ?? 0);
    return Number(sum.toPrecision(6));
  });
}
