// The npm package in Chromium: messages a second that reach a handler (`dispatch.js`), ours and Vert.x's
// client by turns, and the time from the start of a script to its first reply. Medians, as a table and JSON.
// More than 3,000 at once, live, may be more than the server holds for a slow page before it closes it.
// `cargo xtask bench-browser [--rounds 7] [--count 3000] [--only TEXT] [--live] [--json FILE]`

import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { launchBrowser } from "../support-js/browser.mjs";
import { needed } from "../support-js/needs.mjs";
import { demo } from "../support-js/server.mjs";
import { options, works } from "./options.mjs";

const text = (name) => name.padEnd(24);
const { rounds, count, live: isLive, json } = options;

const require = createRequire(import.meta.url);
const FILES = {
  "/sockjs.js": require.resolve("sockjs-client/dist/sockjs.min.js"),
  "/vertx.js": require.resolve("@vertx/eventbus-bridge-client.js/vertx-eventbus.js"),
  "/dispatch.js": fileURLToPath(new URL("dispatch.js", import.meta.url)),
};
const TYPES = { js: "text/javascript", wasm: "application/wasm" };
const PAGE = `<!doctype html><title>Dispatch</title><link rel="icon" href="data:,">
<script>
  // sockjs-client keeps the class that it finds first.
  const Native = WebSocket;
  globalThis.WebSocket = function (...given) {
    return new (globalThis.StandIn ?? Native)(...given);
  };
</script>
<script src="/sockjs.js"></script><script src="/vertx.js"></script><script type="module" src="/dispatch.js"></script>`;
/** It notes when a request was answered, in milliseconds since its first script started. */
const START = `<!doctype html><title>Start</title><link rel="icon" href="data:,">
<script>globalThis.began = performance.now();</script><script type="module">
  import { EventBus } from "/sdk/index.js";
  const bus = new EventBus(new URLSearchParams(location.search).get("bridge"));
  await bus.request("echo", "first");
  globalThis.took = performance.now() - began;
</script>`;
const INFO = JSON.stringify({ websocket: true, origins: ["*:*"], cookie_needed: false, entropy: 1 });

/** The page, both clients, and as much of a bridge as `/info` is. */
const site = createServer(async ({ url }, response) => {
  const { pathname } = new URL(url, "http://localhost");
  const sdk = pathname.startsWith("/sdk/") && join(needed("TROLLEYBUS_WWW"), pathname);
  const file = FILES[pathname] ?? sdk;
  const [type, content] = file
    ? [TYPES[pathname.split(".").at(-1)], await readFile(file)]
    : pathname === "/eventbus/info" ? ["application/json", INFO] : ["text/html", pathname === "/start" ? START : PAGE];
  response.setHeader("Content-Type", type).end(content);
});
await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
const browser = await launchBrowser();
const server = await demo("--open-bridge");

/** A program publishes; the page waits for what comes of it. */
const flood = (address) => {
  const program = join(dirname(fileURLToPath(import.meta.url)), "../support-js/flood.mjs");
  spawn(process.execPath, [program, server.socket, address, String(count), "80"], { stdio: "ignore" });
};

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
/** The middle half. */
const spread = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return [0.25, 0.75].map((share) => sorted[Math.floor(sorted.length * share)].toFixed(2)).join("..");
};
const results = [];
try {
  const origin = `http://127.0.0.1:${site.address().port}`;
  const starts = [];
  for (let round = 0; round < rounds; round += 1) {
    // Each has a cache of its own.
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${origin}/start?bridge=${encodeURIComponent(server.bridge)}`);
    starts.push(await page.waitForFunction(() => globalThis.took).then((took) => took.jsonValue()));
    await context.close();
  }
  results.push({ title: "start", milliseconds: median(starts), runs: starts });
  console.log(`first reply after ${median(starts).toFixed()} ms (${Math.min(...starts).toFixed()}..${Math.max(...starts).toFixed()}) from the start of the script\n`);
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(error));
  await page.exposeFunction("flood", flood);
  await page.goto(origin);
  await page.waitForFunction(() => globalThis.bench);
  const live = async () => {
    const runs = { ours: [], vertx: [] };
    for (let round = -1; round < rounds; round += 1)
      for (const name of round % 2 ? ["ours", "vertx"] : ["vertx", "ours"]) {
        const rate = await page.evaluate(([...given]) => bench.live(...given), [name, server.bridge, count]);
        // The first round warms up.
        if (round >= 0) runs[name].push(rate);
      }
    return runs;
  };
  console.log(`${text("messages a second")} ${"ours".padStart(10)} ${"vertx".padStart(10)}  ratio (middle half)`);
  for (const [title, work] of works) {
    const runs = isLive ? await live() : await page.evaluate(([...given]) => bench.replay(...given), [work, count, rounds * 10]);
    const ratios = runs.ours.map((rate, at) => rate / runs.vertx[at]);
    const [ours, vertx, ratio] = [runs.ours, runs.vertx, ratios].map(median);
    results.push({ title, ours, vertx, ratio, runs });
    console.log(`${text(title)} ${ours.toFixed().padStart(10)} ${vertx.toFixed().padStart(10)}  ${ratio.toFixed(2)} (${spread(ratios)})`);
  }
} finally {
  await browser.close();
  await server.stop();
  site.close();
}
if (json) await writeFile(json, JSON.stringify(results, null, 2));
