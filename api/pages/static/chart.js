// The only module that knows which library draws the curves: create, set, theme.
import { paced } from "./dom.js";

const EVERY_MS = 500;
const FIRST_PX = 250;
const ALONE_PX = 380;
const FURTHER_PX = 140;
const DASHES = ["solid", "dash", "dot", "dashdot"];
const FEW = 12; // curves whose values are read side by side; of more, the one that is pointed at
const NAMED = 24; // curves that a legend can name
const EDGES = { l: 56, r: 12, t: 34, b: 40 };

/**
 * A chart in `place`. Its picture is panels one below the other along one axis, `{panels: [{title, log}],
 * along, curves: [{name, panel, colour, x, y, epochs, faint}], marks: [{panel, x, name}]}`; `onPick` gets an epoch.
 */
export async function create(place, { onPick = null } = {}) {
  await load();
  return new Chart(place, onPick);
}

class Chart {
  #place;
  #onPick;
  #picture = null;
  #seen = false;
  #drawn = false;
  #soon = paced(EVERY_MS, () => this.#draw());

  constructor(place, onPick) {
    this.#place = place;
    this.#onPick = onPick;
    new IntersectionObserver(([entry]) => {
      this.#seen = entry.isIntersecting;
      if (this.#picture) this.#soon();
    }).observe(place);
    document.addEventListener("visibilitychange", this.#soon);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.theme());
  }

  /** Show another picture, soon: at most every half second, and only where someone sees it. */
  set(picture) {
    this.#picture = picture;
    this.#soon();
  }

  /** Take over the colours of the page. */
  theme() {
    this.#soon();
  }

  async #draw() {
    if (!this.#picture || !this.#seen || document.hidden) return;
    const { data, layout } = figureOf(this.#picture, getComputedStyle(this.#place));
    await window.Plotly.react(this.#place, data, layout, CONFIG);
    if (!this.#drawn && this.#onPick) this.#place.on("plotly_click", (event) => this.#pick(event));
    this.#drawn = true;
    this.#place.dataset.points = this.#picture.curves.reduce((sum, one) => sum + (one.faint ? 0 : one.x.length), 0);
  }

  #pick({ points }) {
    const epoch = points.find((point) => point.customdata !== undefined)?.customdata;
    if (epoch !== undefined) this.#onPick(epoch);
  }
}

// Its button for sending a chart to its maker's cloud is left out, and has no address to send to.
const CONFIG = {
  displaylogo: false,
  responsive: true,
  plotlyServerURL: "",
  showSendToCloud: false,
  modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d", "zoomIn2d", "zoomOut2d"],
};

// The page asks for it in its head, so that it comes while all else does; whether it did is known when all is there.
async function load() {
  if (!window.Plotly && document.readyState !== "complete") {
    await new Promise((resolve) => {
      document.getElementById("plotly").addEventListener("load", resolve);
      window.addEventListener("load", resolve);
    });
  }
  if (!window.Plotly) throw new Error("The chart's library did not load; reload the page to try again.");
}

function figureOf(picture, style) {
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const data = [...picture.curves.map((one) => curve(one, colour)), ...picture.marks.map((one) => mark(one, picture, colour))];
  return { data, layout: layoutOf(picture, colour) };
}

function curve({ name, panel, colour: of, dash, x, y, epochs, faint }, colour) {
  return {
    type: "scatter", mode: x.length === 1 ? "markers" : "lines", name, x, y, customdata: epochs,
    xaxis: "x", yaxis: axis(panel), connectgaps: false, opacity: faint ? 0.3 : 1, showlegend: !faint,
    hoverinfo: faint ? "skip" : undefined, hovertemplate: faint ? undefined : "%{y:.5~g}",
    line: { color: colour(of), width: faint ? 1 : 1.75, dash: DASHES[dash % DASHES.length] }, marker: { color: colour(of), size: 6 },
  };
}

// Where a figure is no number: a cross at the foot of its panel, on an axis of its own that no scale moves.
function mark({ panel, x, name }, { panels }, colour) {
  return {
    type: "scatter", mode: "markers", name: `${name} is no number`, x, y: x.map(() => 0.04), xaxis: "x",
    yaxis: axis(panels.length + panel), hovertemplate: "not finite", showlegend: true,
    marker: { symbol: "x", size: 8, color: colour("bad") },
  };
}

function axis(index) {
  return index === 0 ? "y" : `y${index + 1}`;
}

function layoutOf({ panels, along, curves, marks }, colour) {
  const many = curves.filter((one) => !one.faint).length;
  const height = (panels.length === 1 ? ALONE_PX : FIRST_PX) + FURTHER_PX * (panels.length - 1);
  const lines = { gridcolor: colour("line"), linecolor: colour("line"), zeroline: false, automargin: true };
  const layout = {
    height: height + EDGES.t + EDGES.b, margin: EDGES, uirevision: along,
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 12, color: colour("quiet") },
    hovermode: many > FEW ? "closest" : "x unified", hoversubplots: "axis", showlegend: many <= NAMED,
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("ink"), size: 12 } },
    legend: { orientation: "h", x: 0, y: 1, yanchor: "bottom", font: { color: colour("ink") } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("quiet"), activecolor: colour("accent") },
    xaxis: {
      ...lines, title: { text: along, standoff: 4 }, anchor: axis(panels.length - 1), hoverformat: ",.6~g",
      unifiedhovertitle: { text: `${along} %{x}` }, showspikes: true, spikemode: "across", spikethickness: 1,
      spikedash: "solid", spikecolor: colour("line"), spikesnap: "data",
    },
  };
  domains(panels.length, height).forEach((domain, index) => {
    const { title, log, fromZero } = panels[index];
    layout[name(index)] = {
      ...lines, title: { text: title, standoff: 6 }, domain, type: log ? "log" : "linear", ...(log && { dtick: "D2", tickformat: ".2~g" }),
      rangemode: fromZero && !log ? "tozero" : "normal",
    };
    if (marks.some((one) => one.panel === index)) {
      layout[name(panels.length + index)] = { overlaying: axis(index), range: [0, 1], visible: false, fixedrange: true };
    }
  });
  return layout;
}

function name(index) {
  return axis(index).replace("y", "yaxis");
}

// From the top down, with a gap of 18 pixels between two.
function domains(count, height) {
  if (count === 1) return [[0, 1]];
  const heights = Array.from({ length: count }, (_, index) => (index === 0 ? FIRST_PX : FURTHER_PX) - 18);
  let top = 1;
  return heights.map((each) => {
    const domain = [Math.max(0, top - each / height), top];
    top = domain[0] - 18 / height;
    return domain;
  });
}
