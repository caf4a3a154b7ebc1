// The list of jobs, kept up to date.
import { followJobs } from "./live.js";
import { say } from "./dom.js";
import { excuse, refresh } from "./page.js";

const AFTER_ERROR_MS = 4000;

const look = followJobs(async () => {
  try {
    const shown = await refresh(() => look());
    say("state", "");
    return shown ? undefined : null;
  } catch (error) {
    say("state", excuse(error));
    return AFTER_ERROR_MS;
  }
});
