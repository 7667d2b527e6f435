// The app of the demo: words over each transport.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launchBrowser, openPage } from "../support-js/browser.mjs";
import { answered, assertNoMishaps, ledger, received, say, shows, startDemo } from "../support-js/gallery.mjs";

const TRANSPORTS = ["websocket", "xhr-streaming", "eventsource", "xhr-polling"];

let browser, running;
before(async () => ([browser, running] = await Promise.all([launchBrowser(), startDemo()])));
after(() => Promise.all([browser?.close(), running?.stop("SIGKILL")]));

const open = (t, query = "") => openPage(t, browser, `${running.origin}/app/${query}`);

/** Publishes, requests and echoes a word, and waits for all answers. */
async function converse(page, word) {
  const upper = word.toUpperCase();
  await say(page, `${word} p`, "publish");
  await received(page, `${upper} P`, "[data-way=published]");
  await say(page, `${word} r`, "request");
  await received(page, `${upper} R`, "[data-way=replied]");
  // The service publishes what it replies, too.
  await received(page, `${upper} R`, "[data-way=published]");
  await say(page, `${word} e`, "echo");
  await received(page, `${word} e`, "[data-way=replied]");
  for (const end of ["p", "r", "e"]) await answered(page, `${word} ${end}`);
}

describe("the app", () => {
  test("opens over WebSocket by itself, and answers", async (t) => {
    const page = await open(t);
    await shows(page, "open", "websocket");
    await converse(page, "next stop");
    assert.deepEqual(await ledger(page), { sent: 3, answered: 3, pending: 0, failed: 0, duplicates: 0 });
    assertNoMishaps(page);
  });

  for (const transport of TRANSPORTS) {
    test(`uses ${transport} when its address says so`, async (t) => {
      const page = await open(t, `?transport=${transport}`);
      await shows(page, "open", transport);
      await converse(page, `via ${transport}`);
      assert.deepEqual(await ledger(page), { sent: 3, answered: 3, pending: 0, failed: 0, duplicates: 0 });
      assertNoMishaps(page);
    });
  }

  test("changes to each transport that is chosen, and says so in its address", async (t) => {
    const page = await open(t);
    await shows(page, "open", "websocket");
    for (const transport of [...TRANSPORTS.slice(1), "websocket"]) {
      await page.getByTestId(`force-${transport}`).check({ force: true });
      await shows(page, "open", transport);
      assert.equal(new URL(page.url()).searchParams.get("transport"), transport);
      await converse(page, `by ${transport}`);
    }
    await page.getByTestId("force-auto").check({ force: true });
    await shows(page, "open", "websocket");
    assert.equal(new URL(page.url()).searchParams.get("transport"), null);
    await converse(page, "by itself");
    assert.deepEqual(await ledger(page), { sent: 15, answered: 15, pending: 0, failed: 0, duplicates: 0 });
    assertNoMishaps(page);
  });

  test("publishes with Enter, in any script", async (t) => {
    const page = await open(t);
    await page.getByTestId("input").fill('straße 電車 🚎 "<b>%25\\');
    await page.getByTestId("input").press("Enter");
    await received(page, 'STRASSE 電車 🚎 "<B>%25\\');
    assertNoMishaps(page);
  });

  test("answers 100 words that are sent in one go", async (t) => {
    const page = await open(t, "?transport=xhr-polling");
    await shows(page, "open", "xhr-polling");
    await page.evaluate(() => {
      const button = document.querySelector("[data-testid=publish]");
      const input = document.querySelector("[data-testid=input]");
      for (let number = 0; number < 100; number += 1) {
        input.value = `word ${number}`;
        button.click();
      }
    });
    await page.getByTestId("ledger-answered").getByText("100", { exact: true }).waitFor();
    assert.deepEqual(await ledger(page), { sent: 100, answered: 100, pending: 0, failed: 0, duplicates: 0 });
    assertNoMishaps(page);
  });

  test("is reached from the first page of the site", async (t) => {
    const page = await openPage(t, browser, `${running.origin}/`);
    await page.getByRole("link", { name: "Ride the demo" }).click();
    await shows(page, "open", "websocket");
    assertNoMishaps(page);
  });
});
