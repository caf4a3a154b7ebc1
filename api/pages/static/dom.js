// What every page does to its document; what users typed only ever becomes text.
document.documentElement.classList.add("js");

/** A new element with `inside` (texts and elements) and properties. */
export function element(tag, inside = [], properties = {}) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...[inside].flat());
  return made;
}

export function byId(id) {
  return document.getElementById(id);
}

/** Put a text where screen readers hear it, once. */
export function say(id, text) {
  const place = byId(id);
  if (place && place.textContent !== text) place.textContent = text;
}

/** Do `work`, and tell under the page's heading what was refused. */
export async function attempt(work) {
  say("problem", "");
  try {
    return await work();
  } catch (error) {
    say("problem", error.message);
    return undefined;
  }
}

/** `work`, at most once in `every` milliseconds, the last call always; it never runs twice at once. */
export function paced(every, work) {
  let timer = null;
  let next = 0;
  let busy = false;
  let due = false;
  const run = async () => {
    timer = null;
    busy = true;
    due = false;
    next = performance.now() + every;
    try {
      await work();
    } finally {
      busy = false;
      if (due) soon();
    }
  };
  const soon = () => {
    if (busy) due = true;
    else timer ??= setTimeout(run, Math.max(0, next - performance.now()));
  };
  return soon;
}

/** A figure with five digits, as the service's own pages write it. */
export function figure(row, name) {
  const odd = row?.nonfinite?.[name];
  if (odd) return odd;
  const value = row?.[name];
  if (typeof value !== "number") return value ?? "";
  return Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(5)));
}

/** Seconds as the service's own pages write them. */
export function duration(seconds) {
  if (seconds < 59.5) return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds) % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** JSON that a reader wrote; what is wrong with it as a sentence. */
export function readJson(text) {
  try {
    return JSON.parse(text.trim() || "{}");
  } catch (error) {
    throw new Error(`This is no JSON: ${error.message}.`);
  }
}

/** Show what went wrong beside its form, or nothing. */
export function tell(id, text) {
  const place = byId(id);
  place.hidden = !text;
  place.textContent = text;
}
