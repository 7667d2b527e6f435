// A site for the facts of `vertx-behaviour.mjs`: both clients, the facts, and what runs one of them.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { needed } from "./needs.mjs";

const require = createRequire(import.meta.url);
const tests = join(import.meta.dirname, "..");

const TYPES = { ".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm" };

const PAGE = `<!doctype html><meta charset="utf-8"><title>Facts</title><link rel="icon" href="data:,">
<script src="/sockjs.js"></script><script src="/published.js"></script>`;

const fileFor = (path) => {
  if (path === "/sockjs.js") return require.resolve("sockjs-client/dist/sockjs.min.js");
  if (path === "/published.js") return require.resolve("@vertx/eventbus-bridge-client.js/vertx-eventbus.js");
  if (path.startsWith("/sdk/")) return join(needed("TROLLEYBUS_WWW"), path);
  return join(tests, path);
};

/** Serves it; `origin` and `stop`. */
export async function vertxSite() {
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://127.0.0.1").pathname;
    if (path === "/") return response.setHeader("Content-Type", "text/html").end(PAGE);
    try {
      const file = fileFor(path);
      response.setHeader("Content-Type", TYPES[extname(file)] ?? "text/plain").end(await readFile(file));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** In the page: runs one fact. What of the stage is in Node is called by names like `gate.cut`. */
export async function runFact({ name, client, url, transport }) {
  const { facts, pageFacts } = await import("/interop/vertx-behaviour.mjs");
  const { stageFor } = await import("/support-js/vertx-stage.mjs");
  const published = window.EventBus;
  const Client = client === "published" ? published : (await import("/sdk/vertx.js")).default;
  const remote = (room, names) =>
    Object.fromEntries(names.map((name) => [name, (...args) => window.inNode(room, name, args)]));
  const gate = remote("gate", ["cut", "shut", "open"]);
  const server = remote("server", ["heard", "say", "close", "path"]);
  const address = () => `fact.${crypto.randomUUID()}`;
  const stage = stageFor(Client, { url, transport, gate, server, address });
  try {
    return await [...facts, ...pageFacts].find((fact) => fact.name === name).run(stage);
  } finally {
    await stage.clean();
  }
}
