// What is drawn, and when: create, set, theme; with the two figures beside it all that knows the library.
import { axesFigure } from "./axes_figure.js";
import { curvesFigure } from "./curves_figure.js";
import { paced } from "./dom.js";

const EVERY_MS = 500;

/**
 * A chart in `place`. Its picture is panels one below the other along one axis, `{panels: [{title, log}],
 * along, curves: [{name, panel, colour or shade, x, y, epochs, faint}], marks: [{panel, x, name}]}`, or lines across
 * axes beside each other, `{axes: [{title, ticks}], lines: [{name, shade, y, text}]}`; `onPick` gets an epoch.
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
    const style = getComputedStyle(this.#place);
    const figure = this.#picture.axes ? axesFigure : curvesFigure;
    const { data, layout } = figure(this.#picture, (name) => style.getPropertyValue(`--${name}`).trim());
    this.#place.style.minHeight = `${layout.height}px`;
    await window.Plotly.react(this.#place, data, layout, CONFIG);
    if (!this.#drawn && this.#onPick) this.#place.on("plotly_click", (event) => this.#pick(event));
    this.#drawn = true;
    this.#place.dataset.points = (this.#picture.lines ?? this.#picture.curves).reduce((sum, one) => sum + (one.faint ? 0 : one.y.length), 0);
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
