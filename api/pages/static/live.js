// Where news come from: the only module that knows how the pages hear that something changed.
import { ask, broken, Refusal } from "./api.js";

const EVERY_MS = 1000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 4000;
const SILENT_MS = 40_000; // a stream says something every 15 seconds, or its connection is dead

/** Call `look` whenever jobs may have changed, while the page is visible; for now that is once a second. */
export function followJobs(look) {
  let timer = null;
  const run = async () => {
    clearTimeout(timer);
    const wait = await look();
    if (wait !== null && !document.hidden) timer = setTimeout(run, wait ?? EVERY_MS);
  };
  document.addEventListener("visibilitychange", () => document.hidden || run());
  run();
  return run;
}

/**
 * Follow one job's log behind `after`: each entry once and in order, whatever happens to the connection between.
 * A hidden page holds none, since browsers allow six to a host; it catches up when it is seen again.
 */
export function followJob(id, { after, onEvent, onState }) {
  const state = { last: after, over: false, wait: FIRST_WAIT_MS, cut: null };
  const run = async () => {
    if (state.cut || state.over || document.hidden) return;
    state.cut = new AbortController();
    await listen(id, state, { onEvent, onState });
    state.cut = null;
    if (!state.over) setTimeout(run, state.wait);
    state.wait = Math.min(2 * state.wait, LONGEST_WAIT_MS);
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? state.cut?.abort() : run()));
  run();
}

async function listen(id, state, { onEvent, onState }) {
  try {
    const headers = { Accept: "text/event-stream", "Last-Event-ID": String(state.last) };
    const answer = await ask(`/v1/jobs/${id}/events`, { headers, signal: state.cut.signal });
    state.over = answer.status === 204;
    onState(state.over ? "over" : "live");
    if (state.over) return;
    state.wait = FIRST_WAIT_MS;
    for await (const event of eventsOf(answer.body, state.cut)) take(event, state, onEvent);
    if (state.over) onState("over");
    else onState("lost", broken());
  } catch (error) {
    const refusal = error instanceof Refusal ? error : broken();
    state.over = !refusal.passing;
    if (!document.hidden) onState(state.over ? "refused" : "lost", refusal);
  }
}

function take({ id, type, data }, state, onEvent) {
  if (id !== null && id <= state.last) return;
  if (id !== null) state.last = id;
  state.over = type === "end";
  try {
    onEvent(JSON.parse(data));
  } catch (error) {
    reportError(error); // a fault of the page is none of the connection
  }
}

/** The server-sent events of a body; EventSource itself cannot send a key. */
async function* eventsOf(body, cut) {
  let text = "";
  let dead = null;
  const watch = () => {
    clearTimeout(dead);
    dead = setTimeout(() => cut.abort(), SILENT_MS);
  };
  try {
    for await (const piece of pieces(body.pipeThrough(new TextDecoderStream()))) {
      watch();
      const blocks = (text + piece).split("\n\n");
      text = blocks.pop();
      for (const block of blocks) {
        const event = parsed(block);
        if (event.data) yield event;
      }
    }
  } finally {
    clearTimeout(dead);
  }
}

async function* pieces(stream) {
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}

function parsed(block) {
  const event = { id: null, type: "message", data: "" };
  for (const line of block.split("\n")) {
    const [, name, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (name === "id") event.id = Number(value);
    if (name === "event") event.type = value;
    if (name === "data") event.data += value;
  }
  return event;
}
