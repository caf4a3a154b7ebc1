// The streams that all tabs share: one of all jobs, and one of the jobs that have a page open, each only while needed.
import { MOST_NAMED } from "./named.js";
import { authorization, broken, Refusal, request } from "./refusal.js";
import { eventsOf } from "./sse.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 4000;

/** Serve a tab at the other end of `port`: it says `join` (with a job or null, and its key) and `leave`. */
export function serve(port) {
  let line = null;
  port.onmessage = ({ data: { join, key } }) => {
    line?.leave(port);
    line = join === undefined ? null : join === null ? ALL : NAMED;
    line?.join(port, join, key);
  };
}

/** One stream, and the tabs that hear it. Each is told `reset` when from there on nothing is missed. */
class Line {
  #address;
  #members = new Map();
  #key = null;
  #cut = null;
  #carried = new Set();
  #live = false;
  #wait = FIRST_WAIT_MS;

  constructor(address) {
    this.#address = address;
  }

  join(port, job, key) {
    this.#members.set(port, job);
    const carries = this.#cut && this.#carried.has(job) && key === this.#key;
    this.#key = key;
    if (!carries) this.#open();
    else if (this.#live) port.postMessage({ reset: true });
  }

  leave(port) {
    this.#members.delete(port);
    if (!this.#members.size) this.#close();
  }

  #close() {
    this.#cut?.abort();
    this.#cut = null;
    this.#live = false;
  }

  // Who was on the stream before is told `reset` by the new one, and reads what came between.
  async #open() {
    this.#close();
    const cut = new AbortController();
    this.#cut = cut;
    await null; // tabs that join at once are on one stream
    if (this.#cut !== cut) return;
    this.#carried = new Set([...this.#members.values()].slice(-MOST_NAMED));
    const error = await this.#listen(cut).catch((found) => found);
    if (this.#cut === cut) this.#lost(error instanceof Refusal ? error : broken(), cut);
  }

  async #listen(cut) {
    const headers = { Accept: "text/event-stream", ...authorization(this.#key) };
    const answer = await request(this.#address(this.#carried), { headers, signal: cut.signal });
    for await (const event of eventsOf(answer.body, cut)) {
      if (this.#cut !== cut) return;
      this.#tell(event);
    }
  }

  #tell(event) {
    const reset = event.type === "reset";
    if (reset) {
      this.#live = true;
      this.#wait = FIRST_WAIT_MS;
    }
    for (const [port, job] of this.#members) {
      if (reset) port.postMessage({ reset });
      else if (job === null || job === event.job) port.postMessage({ event });
    }
  }

  // What no waiting mends is each tab's own to look into: all leave, and those come back that still have something to see.
  #lost({ message, status, passing }, cut) {
    this.#live = false;
    for (const port of this.#members.keys()) port.postMessage({ lost: { message, status } });
    if (!passing) {
      this.#members.clear();
      return this.#close();
    }
    setTimeout(() => this.#cut === cut && this.#open(), this.#wait);
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT_MS);
    return undefined;
  }
}

const ALL = new Line(() => "/v1/events");
const NAMED = new Line((jobs) => `/v1/events?jobs=${[...jobs].join(",")}`);
