// Runs once for all tabs of a browser, so that eight of them hold as many connections as one.
import { serve } from "./feed.js";

self.addEventListener("connect", ({ ports: [port] }) => serve(port));
