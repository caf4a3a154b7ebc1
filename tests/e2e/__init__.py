"""Pages in a real browser: a package, so that the browser and its event loop end with its last test."""
