// Every request of the pages: with the key where the reader gave one, and a refusal as a sentence.
const KEY = "trainwire-key";
const PLAIN = { 404: "There is nothing here.", 410: "What was here was deleted." };
const form = document.getElementById("key");

/** What the service refused, in its own words; `status` is HTTP's, 0 where nothing answered. */
export class Refusal extends Error {
  constructor(sentence, status, problem = null) {
    super(sentence);
    this.status = status;
    this.problem = problem;
  }

  /** Whether the same request may be answered a little later. */
  get passing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** The answer to a request; throws a Refusal for any that is neither good nor a 304. */
export async function ask(path, { method = "GET", json, body, headers = {}, signal } = {}) {
  const sent = { ...headers, ...authorization(), ...(json !== undefined && { "Content-Type": "application/json" }) };
  const content = json === undefined ? body : JSON.stringify(json);
  let answer;
  try {
    answer = await fetch(path, { method, body: content, headers: sent, signal, cache: "no-store" });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Refusal("The service does not answer.", 0);
  }
  if (answer.ok || answer.status === 304) return answer;
  throw await refused(answer);
}

export async function askJson(path, options) {
  return JSON.parse(await textOf(await ask(path, options)));
}

/** The whole body; a connection that breaks within it is a Refusal too. */
export async function textOf(answer) {
  try {
    return await answer.text();
  } catch {
    throw broken();
  }
}

export function broken() {
  return new Refusal("The connection broke.", 0);
}

/** Ask for the key, and go on with `again` once it is given. */
export function askForKey(again) {
  const wrong = hasKey();
  sessionStorage.removeItem(KEY);
  form.hidden = false;
  form.elements.key.focus();
  form.onsubmit = (event) => {
    event.preventDefault();
    sessionStorage.setItem(KEY, form.elements.key.value);
    form.reset();
    form.hidden = true;
    again();
  };
  return wrong ? "That is not its key." : "This service needs its key.";
}

/** Whether the reader has given a key. */
export function hasKey() {
  return sessionStorage.getItem(KEY) !== null;
}

function authorization() {
  const key = sessionStorage.getItem(KEY);
  return key === null ? {} : { Authorization: `Bearer ${key}` };
}

async function refused(answer) {
  const problem = await answer.json().catch(() => null);
  return new Refusal(sentence(problem) ?? PLAIN[answer.status] ?? `The service answers ${answer.status}.`, answer.status, problem);
}

/** A problem's detail, and where there are several, each with its place. */
export function sentence(problem) {
  if (!problem?.detail) return null;
  const errors = problem.errors ?? [];
  if (errors.length < 2) return problem.detail;
  return [problem.detail, ...errors.map((one) => `${one.pointer || "/"}: ${one.message}`)].join("\n");
}
