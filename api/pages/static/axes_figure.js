// Parallel coordinates as the library's figure: lines of SVG, since its own kind for them tells nothing on hover.
import { literal, paint } from "./paint.js";

const HEIGHT_PX = 420;
const EDGES = { l: 12, r: 12, t: 44, b: 12 };
const BEYOND = 0.35; // of the room between two axes: there stand the labels

/** Its data and layout; `colour` gives the page's own by their names. */
export function axesFigure({ axes, lines }, colour) {
  return { data: lines.map((one) => line(one, colour)), layout: layoutOf(axes, colour) };
}

function line(one, colour) {
  const drawn = paint(one, colour);
  const isBest = one.shade === 1;
  return {
    type: "scatter", mode: "lines+markers", name: literal(one.name), x: one.y.map((_, index) => index), y: one.y,
    text: one.text.map(literal), hovertemplate: "%{text}", connectgaps: false, showlegend: false, cliponaxis: false,
    opacity: isBest ? 1 : 0.75, line: { color: drawn, width: isBest ? 3 : 1.25 }, marker: { color: drawn, size: isBest ? 8 : 5 },
  };
}

function layoutOf(axes, colour) {
  return {
    height: HEIGHT_PX, margin: EDGES, uirevision: "axes", hovermode: "closest", hoverdistance: 30,
    paper_bgcolor: colour("card"), plot_bgcolor: colour("card"),
    font: { family: "system-ui, sans-serif", size: 12, color: colour("quiet") },
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("ink"), size: 12 }, namelength: -1 },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: "rgba(0,0,0,0)", activecolor: "rgba(0,0,0,0)" },
    yaxis: { visible: false, fixedrange: true, range: [-0.05, 1.05] },
    xaxis: {
      side: "top", tickvals: axes.map((_, index) => index), ticktext: axes.map(({ title }) => literal(title)), showgrid: false,
      zeroline: false, showline: false, fixedrange: true, range: [-BEYOND, axes.length - 1 + BEYOND], tickfont: { color: colour("ink") },
    },
    shapes: axes.map((_, index) => ({
      type: "line", x0: index, x1: index, y0: 0, y1: 1, layer: "below", line: { color: colour("quiet"), width: 1 },
    })),
    annotations: axes.flatMap(({ ticks }, index) => ticks.map(({ at, text }) => ({
      x: index, y: at, text: literal(text), showarrow: false, xanchor: "right", xshift: -7, bgcolor: colour("card"), borderpad: 1,
      font: { size: 11, color: colour("quiet") },
    }))),
  };
}
