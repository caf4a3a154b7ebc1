// Every request of the pages: with the key where the reader gave one, and a refusal as a sentence.
import { authorization, broken, request } from "./refusal.js";

const KEY = "trainwire-key";
const form = document.getElementById("key");

/** The answer to a request; throws a Refusal for any that is neither good nor a 304. */
export function ask(path, { method = "GET", json, body, headers = {}, signal } = {}) {
  const sent = { ...headers, ...authorization(keyGiven()), ...(json !== undefined && { "Content-Type": "application/json" }) };
  return request(path, { method, body: json === undefined ? body : JSON.stringify(json), headers: sent, signal });
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
  return keyGiven() !== null;
}

/** The key, or null. */
export function keyGiven() {
  return sessionStorage.getItem(KEY);
}
