// Several parties on the demo's bus: tabs that serve each other, and a shell.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launchBrowser, openPage, openTab } from "../support-js/browser.mjs";
import { answered, assertNoMishaps, ledger, lines, received, say, shows, startDemo } from "../support-js/gallery.mjs";
import { needed } from "../support-js/needs.mjs";
import { run } from "../support-js/process.mjs";

let browser, running;
before(async () => ([browser, running] = await Promise.all([launchBrowser(), startDemo()])));
after(() => Promise.all([browser?.close(), running?.stop("SIGKILL")]));

const nameOf = (page) => page.locator(".tab-name").textContent();

/** Two tabs of one browser that serve; each over a transport of its own. */
async function openServingTabs(t, ...transports) {
  const context = await browser.newContext({ reducedMotion: "reduce" });
  t.after(() => context.close());
  const urls = transports.map((transport) => `${running.origin}/app/?serve=tabs&transport=${transport}`);
  const tabs = await Promise.all(urls.map((url) => openTab(context, url)));
  await Promise.all(tabs.map((tab, at) => shows(tab, "open", transports[at])));
  // A tab serves when it has answered itself.
  for (const tab of tabs) {
    const word = `serving ${await nameOf(tab)}`;
    await say(tab, word);
    await received(tab, word.toUpperCase(), ':has-text("served by this tab")');
  }
  return tabs;
}

describe("tabs that serve", () => {
  for (const transports of [["websocket", "websocket"], ["xhr-streaming", "xhr-polling"]]) {
    test(`each answer what one of them publishes, over ${transports.join(" and ")}`, async (t) => {
      const [one, two] = await openServingTabs(t, ...transports);
      await say(one, "who serves?");
      const other = await nameOf(two);
      await received(one, "WHO SERVES?", ':has-text("served by this tab")');
      await received(one, "WHO SERVES?", `:has-text("served by tab ${other}")`);
      await received(two, "WHO SERVES?", `:has-text("for tab ${await nameOf(one)}")`);
      assert.equal((await ledger(one)).duplicates, 0);
      for (const page of [one, two]) assertNoMishaps(page);
    });
  }

  test("take requests in turn", async (t) => {
    const [one, two] = await openServingTabs(t, "websocket", "websocket");
    for (const word of ["first", "second"]) {
      await say(one, word, "request");
      await answered(one, word);
    }
    const replies = one.getByTestId("received").locator("[data-testid=entry][data-way=replied]");
    const [texts, other] = [await replies.allTextContents(), await nameOf(two)];
    assert.equal(texts.length, 2);
    assert.equal(texts.filter((text) => text.includes("served by this tab")).length, 1);
    assert.equal(texts.filter((text) => text.includes(`served by tab ${other}`)).length, 1);
    assertNoMishaps(two);
  });

  test("serve no more once the server is chosen again", async (t) => {
    const page = await openPage(t, browser, `${running.origin}/app/?serve=tabs`);
    await shows(page, "open");
    await page.getByTestId("serve-server").check({ force: true });
    await say(page, "who now?", "request");
    await received(page, "WHO NOW?", ':has-text("served by the server")');
    assert.equal(new URL(page.url()).searchParams.get("serve"), null);
    await page.getByTestId("serve-tabs").check({ force: true });
    await say(page, "and now?", "request");
    await received(page, "AND NOW?", ':has-text("served by this tab")');
    assert.equal(new URL(page.url()).searchParams.get("serve"), "tabs");
    assertNoMishaps(page);
  });
});

describe("a shell", () => {
  const cli = (...args) => run(needed("TROLLEYBUS_BIN"), [...args, "--url", running.bridge]);

  test("publishes into every page", async (t) => {
    const app = await openPage(t, browser, `${running.origin}/app/`);
    const plain = await openPage(t, browser, `${running.origin}/plain.html`);
    await Promise.all([shows(app, "open"), shows(plain, "open")]);
    // The page's own answer shows that it listens.
    for (const page of [app, plain]) {
      await say(page, "ready");
      await received(page, "READY");
    }
    const { code, err } = await cli("publish", "demo.response", '"from a shell 🚎"');
    assert.equal(code, 0, err);
    await Promise.all([received(app, "from a shell 🚎"), received(plain, "from a shell 🚎")]);
    for (const page of [app, plain]) assertNoMishaps(page);
  });

  test("runs the command that the page shows", async (t) => {
    const page = await openPage(t, browser, `${running.origin}/app/`);
    await shows(page, "open");
    await say(page, "ready");
    await received(page, "READY");
    const shown = await page.getByTestId("command").textContent();
    const before = await lines(page, "received", "READY").count();
    assert.equal(before, 1);
    const command = shown.replace(/^\S*trolleybus /, '"$TROLLEYBUS_BIN" ');
    const { code, err } = await run("/bin/sh", ["-c", command]);
    assert.equal(code, 0, `${shown}: ${err}`);
    await page.getByTestId("received").locator("[data-testid=entry]").nth(1).waitFor();
    assertNoMishaps(page);
  });

  test("may use the services of the demo and nothing else", async () => {
    const upper = await cli("request", "demo.request", '"straße"');
    assert.deepEqual([upper.code, upper.out], [0, '"STRASSE"\n']);
    const echo = await cli("request", "echo", "1.10");
    assert.deepEqual([echo.code, echo.out], [0, "1.10\n"]);
    const other = await cli("publish", "news", "1");
    assert.equal(other.code, 1);
  });
});
