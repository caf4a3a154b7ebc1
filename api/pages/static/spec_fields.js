// What a spec says beside its parts, out of the service's own description of itself: a field for each setting.
import { askJson } from "./api.js";

const OWN = new Set(["facts"]); // what the service fills in

/** The settings of a spec that are none of `parts`: plain ones, and sections that hold more of them. */
export async function specFields(parts) {
  const { schemas } = (await askJson("/openapi.json")).components;
  const found = { plain: [], sections: [] };
  for (const [name, schema] of Object.entries(schemas.JobSpec.properties)) {
    if (parts.has(name)) continue;
    const { one, isNullable } = meant(schema, schemas);
    if (one.type !== "object" || !one.properties) found.plain.push(fieldOf(name, schema, schemas));
    else found.sections.push({ name, told: told(one, schema, isNullable), fields: fieldsOf(name, one, schemas) });
  }
  return found;
}

function fieldsOf(section, { properties }, schemas) {
  return Object.entries(properties).filter(([name]) => !OWN.has(name)).map(([name, schema]) => fieldOf(`${section}.${name}`, schema, schemas));
}

function told({ description: its }, { description: here }, isNullable) {
  const [sentence] = (here ?? its ?? "").split("\n\n");
  return isNullable ? `${sentence} Left out while nothing is said here.` : sentence;
}

function fieldOf(path, schema, schemas) {
  return { path, title: path, schema: { ...meant(schema, schemas).one, description: schema.description }, fallback: schema.default };
}

// The kind of a value, null left out; of several kinds it is typed as JSON has it.
function meant(schema, schemas) {
  const kinds = (schema.anyOf ?? [schema]).filter(({ type }) => type !== "null");
  const [{ $ref: reference, ...given }] = kinds;
  const one = reference ? schemas[reference.split("/").at(-1)] : given;
  return { one: kinds.length === 1 ? one : {}, isNullable: kinds.length < (schema.anyOf ?? [schema]).length };
}
