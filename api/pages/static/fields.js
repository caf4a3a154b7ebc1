// From the catalogue's JSON Schemas to fields, and from what is typed into them to a spec; an empty field is its default.
import { element } from "./dom.js";

const UNASKED = new Set(["name", "facts"]);

/** A field for a plain setting. `told` is the spec's value, undefined where it has none. */
export function field({ path, title, schema, told, fallback, onChange }) {
  const id = `field-${path.replaceAll(".", "-")}`;
  const input = inputOf(schema, told, fallback);
  input.id = id;
  input.dataset.path = path;
  input.addEventListener("input", () => onChange(path, valueOf(input, schema)));
  const help = schema.description ? element("small", worded(schema.description), { className: "quiet", id: `${id}-help` }) : null;
  if (help) input.setAttribute("aria-describedby", help.id);
  const label = element("label", title, { htmlFor: id });
  return element("div", [label, input, ...(help ? [help] : [])], { className: "field" });
}

/** A docstring without its marks. */
export function worded(text) {
  return text.replaceAll("`", "");
}

/** The settings of a part, a field each. */
export function settingsOf({ path, part, told, onChange }) {
  return Object.entries(part.schema.properties ?? {})
    .filter(([name]) => !UNASKED.has(name))
    .map(([name, schema]) => {
      const value = told && typeof told === "object" ? told[name] : undefined;
      return field({ path: `${path}.${name}`, title: name, schema, told: value, fallback: schema.default, onChange });
    });
}

function inputOf(schema, told, fallback) {
  const options = schema.enum ?? (schema.type === "boolean" ? [true, false] : null);
  if (options) {
    const usual = fallback === undefined ? "" : ` (${JSON.stringify(fallback)})`;
    const select = element("select", [
      element("option", `default${usual}`, { value: "" }),
      ...options.map((one) => element("option", String(one), { value: JSON.stringify(one) })),
    ]);
    select.value = told === undefined ? "" : JSON.stringify(told);
    return select;
  }
  const number = schema.type === "number" || schema.type === "integer";
  return element("input", [], {
    type: number ? "number" : "text",
    ...(number && { step: "any", min: schema.minimum ?? schema.exclusiveMinimum ?? "", max: schema.maximum ?? "" }),
    placeholder: fallback === undefined || fallback === null ? "" : plain(fallback),
    value: told === undefined ? "" : plain(told),
    autocomplete: "off",
  });
}

function plain(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function valueOf(input, schema) {
  const text = input.value.trim();
  if (text === "") return undefined;
  if (schema.type === "string" && !schema.enum) return text;
  try {
    return JSON.parse(text);
  } catch {
    return schema.type === "array" && !text.startsWith("[") ? text.split(",").map((word) => word.trim()) : text; // the plan says what is wrong with it
  }
}
