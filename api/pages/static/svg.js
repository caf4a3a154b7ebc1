// Lines and texts as SVG.
const SPACE = "http://www.w3.org/2000/svg";

/** A new element with attributes, and with `inside` (texts and elements). */
export function svg(tag, attributes = {}, inside = []) {
  const made = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...[inside].flat());
  return made;
}

/** What a path's `d` says of points `[x, y]`: one line, broken where y is null. */
export function line(points) {
  return points.map(([x, y], index) => (y === null ? "" : `${index === 0 || points[index - 1][1] === null ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`)).join("");
}
