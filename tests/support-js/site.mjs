// A site with the published browser bundles, served by a tiny HTTP server or as a folder.

import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(import.meta.url);

const BUNDLES = {
  "sockjs.min.js": require.resolve("sockjs-client/dist/sockjs.min.js"),
  "vertx-eventbus.js": require.resolve("@vertx/eventbus-bridge-client.js/vertx-eventbus.js"),
};

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Clients</title><link rel="icon" href="data:,">
<script src="sockjs.min.js"></script><script src="vertx-eventbus.js"></script></head><body></body></html>
`;

/** A temporary folder with the page and the bundles. */
export async function siteFolder() {
  const folder = await mkdtemp(join(tmpdir(), "trolleybus-site-"));
  await writeFile(join(folder, "index.html"), PAGE);
  for (const [name, file] of Object.entries(BUNDLES)) await copyFile(file, join(folder, name));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** The same page and bundles on an origin of their own. */
export async function siteServer() {
  const server = createServer(async (request, response) => {
    const name = new URL(request.url, "http://127.0.0.1").pathname.slice(1);
    if (name === "") return response.setHeader("Content-Type", "text/html; charset=utf-8").end(PAGE);
    if (!BUNDLES[name]) return response.writeHead(404).end();
    response.setHeader("Content-Type", "text/javascript; charset=utf-8").end(await readFile(BUNDLES[name]));
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
