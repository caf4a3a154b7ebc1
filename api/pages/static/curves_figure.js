// Curves as the library's figure: panels one below the other along one axis, their marks, and what is read on hover.
import { NAMED } from "./curves.js";
import { literal, paint } from "./paint.js";

const FIRST_PX = 250;
const ALONE_PX = 380;
const FURTHER_PX = 140;
const DASHES = ["solid", "dash", "dot", "dashdot"];
const FEW = 12; // curves whose values are read side by side; of more, the one that is pointed at
const EDGES = { l: 56, r: 12, t: 34, b: 40 };

/** Its data and layout; `colour` gives the page's own by their names. */
export function curvesFigure(picture, colour) {
  const data = [...picture.curves.map((one) => curve(one, colour)), ...picture.marks.map((one) => mark(one, picture, colour))];
  return { data, layout: layoutOf(picture, colour) };
}

function curve(one, colour) {
  const { name, panel, dash, x, y, epochs, faint } = one;
  const drawn = paint(one, colour);
  return {
    type: "scatter", mode: x.length === 1 ? "markers" : "lines", name: literal(name), x, y, customdata: epochs,
    xaxis: "x", yaxis: axis(panel), connectgaps: false, opacity: faint ? 0.3 : 1, showlegend: !faint,
    hoverinfo: faint ? "skip" : undefined, hovertemplate: faint ? undefined : "%{y:.5~g}",
    line: { color: drawn, width: faint || one.shade < 1 ? 1 : 1.75, dash: DASHES[(dash ?? 0) % DASHES.length] }, marker: { color: drawn, size: 6 },
  };
}

// Where a figure is no number: a cross at the foot of its panel, on an axis of its own that no scale moves.
function mark({ panel, x, name }, { panels }, colour) {
  return {
    type: "scatter", mode: "markers", name: literal(`${name} is no number`), x, y: x.map(() => 0.04), xaxis: "x",
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
    paper_bgcolor: colour("card"), plot_bgcolor: colour("card"),
    font: { family: "system-ui, sans-serif", size: 12, color: colour("quiet") },
    hovermode: many > FEW ? "closest" : "x unified", hoversubplots: "axis", showlegend: many <= NAMED,
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("ink"), size: 12 }, namelength: -1 },
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
