// The lines of a figure, drawn at once while the library is still on its way: the same place, the same scales.
import { line, svg } from "./svg.js";

const PAD = 0.05; // of a scale's span, below its lowest and above its highest
const DOT_PX = 6;

/** Draw `figure` into `place`, instead of what was sketched there before. */
export function sketch(place, { data, layout }) {
  const { l, r, t, b } = layout.margin;
  const room = { width: Math.max(1, place.clientWidth - l - r), height: layout.height - t - b };
  const across = scale(data.flatMap(({ x }) => x), layout.xaxis, [0, room.width], 0);
  const panels = Object.keys(layout).filter((key) => key.startsWith("yaxis") && !layout[key].overlaying);
  const drawn = panels.flatMap((key) => panel(layout[key], data.filter((one) => axisOf(one) === key), across, room));
  const all = svg("g", { transform: `translate(${l} ${t})` }, drawn);
  erase(place);
  place.append(svg("svg", { class: "sketch", "aria-hidden": "true", width: l + room.width + r, height: layout.height }, all));
}

/** Take away what was sketched. */
export function erase(place) {
  place.querySelector(":scope > .sketch")?.remove();
}

function axisOf({ yaxis = "y" }) {
  return yaxis.replace("y", "yaxis");
}

function panel(axis, curves, across, { width, height }) {
  const [foot, head] = (axis.domain ?? [0, 1]).map((share) => height * (1 - share));
  const values = curves.flatMap(({ y }) => y);
  const up = scale(values, axis, [foot, head], PAD);
  const lines = curves.map((one) => curve(one, across, up));
  if (axis.visible === false) return lines;
  const ends = extent(values, axis).map((value) => svg("text", { x: -6, y: up(value) + 4, "text-anchor": "end" }, String(Number(value.toPrecision(3)))));
  return [svg("path", { class: "edge", d: line([[0, foot], [width, foot]]) }), ...ends, svg("text", { x: 6, y: head + 4 }, axis.title.text), ...lines];
}

// One point alone is a short stroke.
function curve({ x, y, opacity = 1, line: { color, width } }, across, up) {
  const points = x.map((value, index) => [across(value), y[index] === null ? null : up(y[index])]);
  if (points.length === 1) points.push([points[0][0] + DOT_PX, points[0][1]]);
  return svg("path", { d: line(points), stroke: color, "stroke-width": width, opacity });
}

// From a figure to its pixel between two; null where an axis has no place for it.
function scale(values, axis, [from, to], pad) {
  const along = axis.type === "log" ? Math.log10 : Number;
  const [low, high = low] = axis.range ?? extent(axis.rangemode === "tozero" ? [0, ...values] : values, axis).map(along);
  const beyond = axis.range ? 0 : pad * (high - low);
  return (value) => {
    const share = low === high ? 0.5 : (along(value) - low + beyond) / (high - low + 2 * beyond);
    return Number.isFinite(share) ? from + share * (to - from) : null;
  };
}

// The lowest and the highest of what has a place on an axis, once if they are one.
function extent(values, { type }) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value === null || (type === "log" && value <= 0)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low > high ? [] : low === high ? [low] : [low, high];
}
