// What the library is to draw in which colour, and texts that it must not read as its markup.

/** A colour of the page by its name, or a shade between two: 0 the worst of many, 1 the best. */
export function paint({ colour: name, shade }, colour) {
  if (shade === undefined) return colour(name);
  const [from, to] = [parts(colour("c1")), parts(colour("accent"))];
  return `rgb(${from.map((part, index) => Math.round(part + (to[index] - part) * shade)).join(",")})`;
}

/** The same shade for the page's own marks; it follows the reader's theme by itself. */
export function shadeStyle(shade) {
  return `color-mix(in srgb, var(--accent) ${Math.round(100 * shade)}%, var(--c1))`;
}

/** A text that stays what it is: the library takes `<b>` and the like for markup. */
export function literal(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function parts(hex) {
  const digits = hex.length === 4 ? [...hex.slice(1)].map((one) => one + one) : hex.slice(1).match(/../g);
  return digits.map((one) => parseInt(one, 16));
}
