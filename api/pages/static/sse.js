// Server-sent events read by `fetch`, since EventSource itself cannot send a key.
const SILENT_MS = 40_000; // a stream says something every 15 seconds, or its connection is dead

/** The data of each event of a body, as the service's JSON; a body that says nothing for long is cut off by `cut`. */
export async function* eventsOf(body, cut) {
  let text = "";
  let dead = null;
  const watch = () => {
    clearTimeout(dead);
    dead = setTimeout(() => cut.abort(), SILENT_MS);
  };
  try {
    watch();
    for await (const piece of pieces(body.pipeThrough(new TextDecoderStream()))) {
      watch();
      const blocks = (text + piece).split("\n\n");
      text = blocks.pop();
      for (const block of blocks) {
        const data = dataOf(block);
        if (data) yield JSON.parse(data);
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

function dataOf(block) {
  return block.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart()).join("\n");
}
