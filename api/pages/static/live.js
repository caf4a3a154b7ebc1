// Where news come from: the only module that knows how the pages hear that something changed.
import { askJson, keyGiven } from "./api.js";
import { broken, Refusal } from "./refusal.js";
import { serve } from "./feed.js";

const WAIT_MS = 2000;
const ENDED = new Set(["succeeded", "failed", "cancelled"]);

/** Hear of all jobs: `onChange` gets each change, `onReset` the word that any may have changed, `onLost` why nothing comes. */
export function followJobs({ onChange, onReset, onLost }) {
  const line = new Member(null, {
    reset: onReset,
    event: onChange,
    lost(refusal) {
      onLost(refusal);
      if (!refusal.passing) setTimeout(() => line.join(), WAIT_MS);
    },
  });
}

/**
 * Follow one job's log behind `after`: each entry once and in order. Entries are numbered without a gap, so one that
 * comes too early says that others have to be read first, whatever happened to the stream between.
 */
export function followJob(id, { after, onEvent, onState }) {
  const log = new Log(id, after, onEvent);
  const line = new Member(id, {
    reset: catchUp,
    event(event) {
      if (log.take(event) && !log.over) return;
      catchUp();
    },
    async lost(refusal) {
      if (log.over) return;
      onState("lost", refusal);
      if (!refusal.passing && (await catchUp())) line.join(); // the stream was refused for another tab's job
    },
  });

  async function catchUp() {
    const refusal = log.over ? null : await log.read().catch((error) => (error instanceof Refusal ? error : broken()));
    if (refusal?.passing) setTimeout(catchUp, WAIT_MS);
    else if (refusal || log.over) line.leave();
    onState(refusal ? (refusal.passing ? "lost" : "refused") : log.over ? "over" : "live", refusal);
    return !refusal && !log.over;
  }
}

/** What is known of a job's log: entries taken from the stream, and those read where it has a gap. */
class Log {
  #id;
  #last;
  #onEvent;
  #reading = null;
  #gap = false;
  over = false;

  constructor(id, last, onEvent) {
    this.#id = id;
    this.#last = last;
    this.#onEvent = onEvent;
  }

  /** Take one entry if it comes next; false where it shows that others have to be read first. */
  take(event) {
    if (event.seq > this.#last + 1) {
      this.#gap = true;
      return false;
    }
    if (event.seq <= this.#last) return true;
    this.#last = event.seq ?? this.#last;
    this.over ||= event.type === "end";
    try {
      this.#onEvent(event);
    } catch (error) {
      reportError(error); // a fault of the page is none of the stream
    }
    return true;
  }

  /** Read whatever follows the last entry known. */
  read() {
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readOn() {
    for (let more = true; more; ) {
      this.#gap = false;
      const page = await askJson(`/v1/jobs/${this.#id}/events?after=${this.#last}`);
      for (const event of page.data) this.take(event);
      this.over ||= !page.has_more && ENDED.has(page.status);
      more = !this.over && (page.has_more || this.#gap);
    }
  }
}

/** This tab's place at the shared streams; it leaves with the page and comes back with it. */
class Member {
  #job;
  #told;
  #port;

  constructor(job, told) {
    this.#job = job;
    this.#told = told;
    this.#connect("SharedWorker" in window ? this.#shared() : own());
    addEventListener("pagehide", () => this.#port.postMessage({}));
    addEventListener("pageshow", ({ persisted }) => persisted && this.join());
  }

  join() {
    this.#port.postMessage({ join: this.#job, key: keyGiven() });
  }

  leave() {
    this.#port.postMessage({});
  }

  #shared() {
    const worker = new SharedWorker("/static/worker.js", { type: "module", name: document.body.dataset.version });
    worker.addEventListener("error", () => this.#connect(own()));
    return worker.port;
  }

  #connect(port) {
    this.#port = port;
    port.onmessage = ({ data: { event, lost } }) => {
      if (event) this.#told.event(event);
      else if (lost) this.#told.lost(new Refusal(lost.message, lost.status));
      else this.#told.reset();
    };
    this.join();
  }
}

// Without a worker that tabs share: streams of this page alone, at the other end of the same channel.
function own() {
  const { port1, port2 } = new MessageChannel();
  serve(port1);
  return port2;
}
