// A page that looks again: it asks for its own address and takes over what the service now writes there.
import { ask, askForKey, textOf } from "./api.js";
import { byId, say } from "./dom.js";
import { morph } from "./morph.js";
import { Refusal } from "./refusal.js";

let etag = null;
let asking = false;

/** Bring every `data-live` part up to date. Resolves to whether there was an answer that holds the page. */
export async function refresh(again) {
  const answer = await ask(location.pathname + location.search, { headers: etag ? { "If-None-Match": etag } : {} });
  if (answer.status === 304) return true;
  const fresh = new DOMParser().parseFromString(await textOf(answer), "text/html");
  if ("locked" in fresh.body.dataset) {
    say("problem", askForKey(again));
    asking = true;
    return false;
  }
  etag = answer.headers.get("ETag");
  if (asking) say("problem", "");
  asking = false;
  for (const part of fresh.querySelectorAll("[data-live]")) {
    const old = byId(part.id);
    if (old) morph(old, part);
  }
  document.title = fresh.title;
  return true;
}

/** What to say of an error that looking again may mend. */
export function excuse(error) {
  if (!(error instanceof Refusal)) throw error;
  return error.passing ? `${error.message} Trying again.` : error.message;
}
