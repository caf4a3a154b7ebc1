// What the service refused, in its own words; pages and what runs beside them say it alike.
const PLAIN = { 404: "There is nothing here.", 410: "What was here was deleted." };

/** A request that was not answered well; `status` is HTTP's, 0 where nothing answered. */
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

/** `fetch`, but whatever is neither good nor a 304 is thrown as a Refusal; only who gave up on it gets its own error. */
export async function request(path, options) {
  let answer;
  try {
    answer = await fetch(path, { ...options, cache: "no-store" });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Refusal("The service does not answer.", 0);
  }
  if (answer.ok || answer.status === 304) return answer;
  const problem = await answer.json().catch(() => null);
  throw new Refusal(sentence(problem) ?? PLAIN[answer.status] ?? `The service answers ${answer.status}.`, answer.status, problem);
}

/** How a request carries a key, where there is one. */
export function authorization(key) {
  return key === null ? {} : { Authorization: `Bearer ${key}` };
}

export function broken() {
  return new Refusal("The connection broke.", 0);
}

// A problem's detail, and where there are several, each with its place.
function sentence(problem) {
  if (!problem?.detail) return null;
  const errors = problem.errors ?? [];
  if (errors.length < 2) return problem.detail;
  return [problem.detail, ...errors.map((one) => `${one.pointer || "/"}: ${one.message}`)].join("\n");
}
