// Files behind a key: a plain link or picture cannot carry one, so their bytes are fetched.
import { ask, hasKey } from "./api.js";
import { attempt, byId } from "./dom.js";

/** Let links to files work where the service has a key. */
export function downloads() {
  if (!hasKey()) return;
  for (const link of document.querySelectorAll("a[data-file]:not([data-ready])")) {
    link.dataset.ready = "yes";
    link.addEventListener("click", (event) => {
      event.preventDefault();
      attempt(() => save(link.href, link.dataset.file));
    });
  }
}

/** Draw the report's pictures where the service has a key. */
export function pictures() {
  for (const picture of byId("pictures")?.querySelectorAll("img[data-file]:not([src])") ?? []) {
    attempt(async () => {
      picture.src = URL.createObjectURL(await (await ask(picture.dataset.file)).blob());
    });
  }
}

async function save(address, name) {
  const url = URL.createObjectURL(await (await ask(address)).blob());
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
