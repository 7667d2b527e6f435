// The app where the network is in the way, and when the server goes and comes back.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launchBrowser, openPage } from "../support-js/browser.mjs";
import { answered, assertNoMishaps, ledger, received, say, shows, startDemo } from "../support-js/gallery.mjs";
import { startProxy } from "../support-js/proxy.mjs";
import { freePort } from "../support-js/server.mjs";

// What the browser itself says of a connection that fails.
const NETWORK = /^console: (WebSocket connection to|Failed to load resource)/;

let browser, running;
before(async () => ([browser, running] = await Promise.all([launchBrowser(), startDemo()])));
after(() => Promise.all([browser?.close(), running?.stop("SIGKILL")]));

async function openBehind(t, mode, query = "") {
  const proxy = await startProxy(running.origin, mode);
  t.after(() => proxy.stop());
  return openPage(t, browser, `${proxy.origin}/app/${query}`);
}

describe("behind a proxy", () => {
  for (const [what, mode, transport] of [
    ["that passes everything", "pass", "websocket"],
    ["that refuses WebSockets", "refuse", "xhr-streaming"],
    ["that never answers WebSockets", "swallow", "xhr-streaming"],
    ["that holds responses until they end", "buffer", "xhr-polling"],
  ]) {
    test(`${what} the app opens by itself over ${transport}`, async (t) => {
      const page = await openBehind(t, mode);
      await shows(page, "open", transport);
      for (const button of ["publish", "request"]) {
        await say(page, `by ${button}`, button);
        await received(page, `BY ${button.toUpperCase()}`);
        await answered(page, `by ${button}`);
      }
      assert.deepEqual(await ledger(page), { sent: 2, answered: 2, pending: 0, failed: 0, duplicates: 0 });
      assertNoMishaps(page, mode === "pass" ? undefined : NETWORK);
    });
  }

  test("that refuses WebSockets EventSource works where it is chosen", async (t) => {
    const page = await openBehind(t, "refuse", "?transport=eventsource");
    await shows(page, "open", "eventsource");
    await say(page, "via eventsource", "request");
    await received(page, "VIA EVENTSOURCE");
    assertNoMishaps(page);
  });

  test("words said before the connection stands are sent when it does", async (t) => {
    const page = await openBehind(t, "swallow");
    await shows(page, "connecting");
    await say(page, "early bird");
    await received(page, "EARLY BIRD");
    await shows(page, "open", "xhr-streaming");
    assert.equal((await ledger(page)).answered, 1);
    assertNoMishaps(page, NETWORK);
  });
});

describe("after a restart of the server", () => {
  for (const [transport, signal] of [
    ["websocket", "SIGTERM"],
    ["websocket", "SIGKILL"],
    ["xhr-streaming", "SIGKILL"],
    ["xhr-polling", "SIGKILL"],
  ]) {
    test(`by ${signal} the app connects again over ${transport}, and sends what was said meanwhile`, async (t) => {
      const listen = ["--listen", `127.0.0.1:${await freePort()}`];
      const first = await startDemo(...listen);
      t.after(() => first.stop("SIGKILL"));
      const page = await openPage(t, browser, `${first.origin}/app/?transport=${transport}`);
      await shows(page, "open", transport);
      await say(page, "before");
      await answered(page, "before");
      await first.stop(signal);
      await page.locator("[data-testid=state]:not([data-state=open])").waitFor();
      await say(page, "meanwhile");
      const second = await startDemo(...listen);
      t.after(() => second.stop("SIGKILL"));
      await shows(page, "open", transport);
      await answered(page, "meanwhile");
      await say(page, "afterwards");
      await answered(page, "afterwards");
      assert.deepEqual(await ledger(page), { sent: 3, answered: 3, pending: 0, failed: 0, duplicates: 0 });
      assertNoMishaps(page, NETWORK);
    });
  }
});
