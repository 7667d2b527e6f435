// The page without a framework.

import { after, before, describe, test } from "node:test";
import { launchBrowser, openPage } from "../support-js/browser.mjs";
import { assertNoMishaps, received, say, shows, startDemo } from "../support-js/gallery.mjs";
import { startProxy } from "../support-js/proxy.mjs";

// What the browser itself says of a connection that fails.
const NETWORK = /^console: (WebSocket connection to|Failed to load resource)/;

let browser, running;
before(async () => ([browser, running] = await Promise.all([launchBrowser(), startDemo()])));
after(() => Promise.all([browser?.close(), running?.stop("SIGKILL")]));

describe("the plain page", () => {
  test("opens over WebSocket and shows the answer", async (t) => {
    const page = await openPage(t, browser, `${running.origin}/plain.html`);
    await shows(page, "open", "websocket");
    await say(page, "mind the gap 🚎");
    await received(page, "MIND THE GAP 🚎");
    assertNoMishaps(page);
  });

  test("shows what other pages publish", async (t) => {
    const [one, two] = await Promise.all([1, 2].map(() => openPage(t, browser, `${running.origin}/plain.html`)));
    await Promise.all([shows(one, "open"), shows(two, "open")]);
    await say(one, "to all");
    await Promise.all([received(one, "TO ALL"), received(two, "TO ALL")]);
    assertNoMishaps(two);
  });

  for (const [mode, transport] of [["refuse", "xhr-streaming"], ["swallow", "xhr-streaming"], ["buffer", "xhr-polling"]]) {
    test(`opens over ${transport} behind a proxy in mode ${mode}`, async (t) => {
      const proxy = await startProxy(running.origin, mode);
      t.after(() => proxy.stop());
      const page = await openPage(t, browser, `${proxy.origin}/plain.html`);
      await shows(page, "open", transport);
      await say(page, "still here");
      await received(page, "STILL HERE");
      assertNoMishaps(page, NETWORK);
    });
  }
});
