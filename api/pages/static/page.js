// A page that looks again: it asks for its own address and takes over what the service now writes there.
import { ask, askForKey, textOf } from "./api.js";
import { byId, paced, say } from "./dom.js";
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

/** What brings the page up to date and then does `work`, and the same at most once in `every` milliseconds. */
export function looking(every, work) {
  const look = paced(every, now);
  async function now() {
    if (document.hidden) return;
    try {
      if (!(await refresh(look))) return;
      say("state", "");
      await work();
    } catch (error) {
      say("state", excuse(error));
      if (error.passing) look();
    }
  }
  return { look, now };
}

/** What to do when the stream of all jobs is lost: say it, and where waiting does not mend it, look why. */
export function losing(look) {
  return (refusal) => {
    say("state", excuse(refusal));
    if (!refusal.passing) look();
  };
}

/** What to say of an error that looking again may mend. */
export function excuse(error) {
  if (!(error instanceof Refusal)) throw error;
  return error.passing ? `${error.message} Trying again.` : error.message;
}
