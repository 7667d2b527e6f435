// The connection through the life of its page: sleep, the back button, no network, a better network.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launchBrowser, openPage } from "../support-js/browser.mjs";
import { needed } from "../support-js/needs.mjs";
import { startProxy } from "../support-js/proxy.mjs";
import { OPEN, serve } from "../support-js/server.mjs";
import { within } from "../support-js/waiting.mjs";

// Pings are looked for often enough to see within seconds who keeps them up.
const PING_TIMEOUT = 1000;
const PING_INTERVAL = 250;

let browser, running;
before(async () => {
  const serving = serve({
    server: { www: needed("TROLLEYBUS_WWW") },
    bridge: { ...OPEN, ping_timeout_ms: PING_TIMEOUT },
  });
  [browser, running] = await Promise.all([launchBrowser(), serving]);
});
after(() => Promise.all([browser?.close(), running?.stop("SIGKILL")]));

/** A page with `bus`, and `history`, the names of its states and transports. */
async function openBus(t, origin, options = {}, first = () => {}) {
  const page = await openPage(t, browser, `${origin}/plain.html`);
  await page.evaluate(first);
  await page.evaluate(
    async ([url, options]) => {
      const { EventBus } = await import("/sdk/index.js");
      globalThis.bus = new EventBus(url, options);
      globalThis.told = [];
      bus.onstate = ({ name, transport }) => told.push(transport ?? name);
      await bus.opened();
    },
    [`${origin}/eventbus`, { vertxbus_ping_interval: PING_INTERVAL, ...options }],
  );
  return page;
}

async function openBehind(t, mode, options, first) {
  const proxy = await startProxy(running.origin, mode);
  t.after(() => proxy.stop());
  return { proxy, page: await openBus(t, proxy.origin, options, first) };
}

const becomes = (page, name) => page.waitForFunction((name) => bus.status.name === name, name);

describe("a page without a network", () => {
  test("waits for it, and connects at once when it is back", async (t) => {
    const { proxy, page } = await openBehind(t, "pass");
    await page.context().setOffline(true);
    await page.waitForFunction(() => !navigator.onLine);
    proxy.cut();
    await becomes(page, "waiting");
    const status = await page.evaluate(() => bus.status);
    assert.deepEqual([status.attempt, status.retryIn], [1, 30_000]);
    await page.context().setOffline(false);
    await becomes(page, "open");
  });
});

describe("a page in the background", () => {
  /** Holds back timers as browsers do with hidden pages, but for those of workers. */
  const hide = () => {
    Object.defineProperty(document, "hidden", { get: () => true });
    const { setTimeout } = globalThis;
    globalThis.setTimeout = (call, wait, ...more) => setTimeout(call, Math.max(wait, 60_000), ...more);
  };

  test("goes on to say that it lives", async (t) => {
    const page = await openBus(t, running.origin, {}, hide);
    let pings = 0;
    const enough = new Promise((resolve) => {
      page.on("websocket", (socket) => {
        socket.on("framesent", ({ payload }) => {
          if (payload.includes('\\"ping\\"')) pings += 1;
          if (pings * PING_INTERVAL > 4 * PING_TIMEOUT) resolve();
        });
      });
    });
    await page.evaluate(async () => bus.reconnect());
    await within(enough, "no pings");
    assert.deepEqual(await page.evaluate(() => told), ["websocket", "connecting", "websocket"]);
  });

  test("is given up by the server where it has no clock but its own", async (t) => {
    const page = await openBus(t, running.origin, {}, () => {
      delete globalThis.Worker;
    });
    await page.evaluate(hide);
    await page.waitForFunction(() => bus.status.name === "waiting");
    assert.equal(await page.evaluate(() => bus.status.code), 3000);
  });

  test("that was frozen has closed its connection, and opens it when it is thawed", async (t) => {
    const page = await openBus(t, running.origin);
    await page.evaluate(() => {
      bus.consumer("life.thawed", ({ body }) => (globalThis.heard = body));
    });
    // What a browser says that freezes a page; it cannot be made to without being left alone for long.
    await page.evaluate(() => document.dispatchEvent(new Event("freeze")));
    await becomes(page, "waiting");
    await page.evaluate(() => document.dispatchEvent(new Event("resume")));
    await becomes(page, "open");
    assert.deepEqual((await page.evaluate(() => told)).slice(0, 4), ["websocket", "waiting", "connecting", "websocket"]);
    await page.evaluate(() => bus.publish("life.thawed", "still here"));
    await page.waitForFunction(() => globalThis.heard === "still here");
  });
});

describe("a page that is left", () => {
  test("says its last words", async (t) => {
    const other = await openBus(t, running.origin);
    await other.evaluate(async () => {
      const consumer = bus.consumer("life.last", ({ body }) => (globalThis.heard = body));
      await consumer.completion;
    });
    const page = await openBus(t, running.origin, {}, () => {
      addEventListener("pagehide", () => bus.publish("life.last", "goodbye"));
    });
    await page.goto("about:blank");
    await other.waitForFunction(() => globalThis.heard === "goodbye");
  });

  test("is as it was when the visitor comes back", async (t) => {
    const keeping = await launchBrowser({ ignoreDefaultArgs: ["--disable-back-forward-cache"] });
    t.after(() => keeping.close());
    const context = await keeping.newContext();
    const page = await context.newPage();
    await page.goto(`${running.origin}/plain.html`);
    await page.evaluate(async () => {
      const { EventBus } = await import("/sdk/index.js");
      globalThis.bus = new EventBus("/eventbus");
      globalThis.told = [];
      bus.onstate = ({ name, transport }) => told.push(transport ?? name);
      addEventListener("pageshow", ({ persisted }) => told.push(`kept: ${persisted}`));
      await bus.opened();
    });
    await page.goto(`${running.origin}/sdk/README.md`);
    await page.goBack({ waitUntil: "commit" });
    await becomes(page, "open");
    const told = await page.evaluate(() => globalThis.told);
    assert.deepEqual(told.toSorted(), ["connecting", "kept: true", "waiting", "websocket", "websocket"]);
  });
});

describe("a page that had to fall back", () => {
  test("opens by a fallback beside a WebSocket that shows nothing", async (t) => {
    const { page } = await openBehind(t, "swallow");
    assert.deepEqual(await page.evaluate(() => told), ["xhr-streaming"]);
  });

  test("climbs to a WebSocket when the network lets it, and loses nothing", async (t) => {
    const { proxy, page } = await openBehind(t, "refuse", { climbAfter: 1000 });
    await page.evaluate(async () => {
      globalThis.numbers = [];
      const consumer = bus.consumer("life.numbers", ({ body }) => numbers.push(body));
      await consumer.completion;
    });
    assert.equal(await page.evaluate(() => bus.transport), "xhr-streaming");
    const other = await openBus(t, running.origin);
    // Numbers without a pause, until some have come after the climb.
    await other.evaluate(() => {
      globalThis.sent = 0;
      globalThis.sending = setInterval(() => bus.publish("life.numbers", sent++), 2);
    });
    proxy.become("pass");
    await page.waitForFunction(() => bus.transport === "websocket");
    const count = await other.evaluate(() => sent + 100);
    await page.waitForFunction((count) => numbers.length > count, count);
    await other.evaluate(() => clearInterval(sending));
    const { numbers, told } = await page.evaluate(() => ({ numbers, told }));
    assert.deepEqual(numbers, [...numbers.keys()]);
    assert.deepEqual(told, ["xhr-streaming", "websocket"]);
  });
});
