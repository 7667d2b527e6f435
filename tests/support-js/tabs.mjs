// Tabs of one origin that speak through the npm package, and what the server sees of them.

import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { needed } from "./needs.mjs";
import { serve } from "./server.mjs";
import { LIMIT, within } from "./waiting.mjs";

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Tab</title><link rel="icon" href="data:,"></head><body></body></html>
`;

/** A server with an admin API, everything permitted, that serves the package and an empty page, and `files`. */
export async function startSite(files = {}) {
  const folder = await mkdtemp(join(tmpdir(), "trolleybus-tabs-"));
  await cp(join(needed("TROLLEYBUS_WWW"), "sdk"), join(folder, "sdk"), { recursive: true });
  for (const [name, text] of Object.entries({ "index.html": PAGE, ...files })) await writeFile(join(folder, name), text);
  const sections = { admin: { listen: "127.0.0.1:0" }, sockjs: { disconnect_delay_ms: 500 } };
  const running = await serve(sections, "--www", folder);
  const stop = async (signal) => {
    await running.stop(signal);
    await rm(folder, { recursive: true, force: true });
  };
  for (;;) {
    const told = (await running.program.errors.next()).match(/admin[^"]*"([^"]+)"/);
    if (told) return { ...running, stop, folder, admin: `http://${told[1]}` };
  }
}

/** The sockets that the server has, once their number is this one. */
export async function socketsAre(running, count, limit = LIMIT) {
  for (const end = Date.now() + limit; ; ) {
    const answer = await fetch(`${running.admin}/sockets`);
    const { sockets } = await answer.json();
    if (sockets.length === count) return sockets;
    if (Date.now() > end) throw new Error(`${sockets.length} sockets instead of ${count}`);
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

/** Tabs of one origin, and what they keep. */
export async function openOrigin(t, browser) {
  const context = await browser.newContext();
  t.after(() => context.close());
  return context;
}

/** A further tab, with a bus that shares; `globalThis.bus` there. Messages for `address` come to `inbox`. */
export async function openSharingTab(context, running, options = { shared: true }, init = undefined) {
  const page = await context.newPage();
  page.setDefaultTimeout(LIMIT);
  page.mishaps = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && page.mishaps.push(message.text()));
  page.on("pageerror", (error) => page.mishaps.push(error.stack));
  if (init) await page.addInitScript(init);
  await page.goto(`${running.origin}/`);
  const ready = page.evaluate(async (options) => {
    globalThis.sdk = await import("/sdk/index.js");
    globalThis.states = [];
    globalThis.bus = await sdk.connect("/eventbus", options);
    bus.onstate = ({ name }) => states.push(name);
    globalThis.inbox = [];
    /** Consumes, and resolves when the server knows of it. */
    globalThis.listen = async (address, options) => {
      const take = (message) => {
        inbox.push({ body: message.body, dropped: message.dropped, at: Date.now() });
        if (message.replyAddress) globalThis.lastRequest = message;
        for (const waiter of waiters) waiter();
      };
      const consumer = bus.consumer(address, take, options);
      await consumer.completion;
      return consumer;
    };
    const waiters = new Set();
    /** Resolves when there is such a message in the inbox; of numbers a greater one will do. */
    globalThis.arrived = (wanted) =>
      new Promise((resolve) => {
        const fits = ({ body }) => body === wanted || (typeof wanted === "number" && body > wanted);
        const look = () => {
          if (!inbox.some(fits)) return waiters.add(look);
          waiters.delete(look);
          resolve();
        };
        look();
      });
  }, options);
  await within(ready, `a bus in a tab (${page.mishaps.join("; ")})`);
  return page;
}
