// What is drawn, and when: create, set, theme; with the two figures and the sketch all that knows the library.
import { axesFigure } from "./axes_figure.js";
import { curvesFigure } from "./curves_figure.js";
import { attempt, paced } from "./dom.js";
import { erase, sketch } from "./sketch.js";

const EVERY_MS = 500;

/**
 * A chart in `place`. Its picture is panels one below the other along one axis, `{panels: [{title, log}],
 * along, curves: [{name, panel, colour or shade, x, y, epochs, faint}], marks: [{panel, x, name}]}`, or lines across
 * axes beside each other, `{axes: [{title, ticks}], lines: [{name, shade, y, text}]}`; `onPick` gets an epoch.
 * Until the library is there, its lines are drawn without it.
 */
export function create(place, { onPick = null } = {}) {
  return new Chart(place, onPick);
}

class Chart {
  #place;
  #onPick;
  #picture = null;
  #seen = false;
  #plotted = false;
  #soon = paced(EVERY_MS, () => this.#draw());

  constructor(place, onPick) {
    this.#place = place;
    this.#onPick = onPick;
    new IntersectionObserver(([entry]) => {
      this.#seen = entry.isIntersecting;
      this.#show();
    }).observe(place);
    document.addEventListener("visibilitychange", () => this.#show());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.theme());
    if (!window.Plotly) attempt(load).then(() => this.#show());
  }

  /** Show another picture, soon: at most every half second, and only where someone sees it. */
  set(picture) {
    this.#picture = picture;
    this.#show();
  }

  /** Take over the colours of the page. */
  theme() {
    this.#show();
  }

  // Nothing is due while no one sees it: so that what is then seen first is drawn at once.
  #show() {
    if (this.#picture && this.#seen && !document.hidden) this.#soon();
  }

  // A sketch also just before the library draws for the first time, which holds the page longer than any other drawing.
  async #draw() {
    const picture = this.#picture;
    const style = getComputedStyle(this.#place);
    const figureOf = picture.axes ? axesFigure : curvesFigure;
    const figure = figureOf(picture, (name) => style.getPropertyValue(`--${name}`).trim());
    this.#place.style.minHeight = `${figure.layout.height}px`;
    if (!this.#plotted) {
      sketch(this.#place, figure);
      this.#count(picture);
      await painted();
    }
    if (!window.Plotly) return;
    await this.#plot(figure);
    this.#count(picture);
  }

  async #plot({ data, layout }) {
    await window.Plotly.react(this.#place, data, layout, CONFIG);
    if (this.#plotted) return;
    this.#plotted = true;
    erase(this.#place);
    if (this.#onPick) this.#place.on("plotly_click", (event) => this.#pick(event));
  }

  #count({ lines, curves }) {
    this.#place.dataset.points = (lines ?? curves).reduce((sum, one) => sum + (one.faint ? 0 : one.y.length), 0);
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

function painted() {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}

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
