// The examples in Rust: each page opens, asks, and hears what everybody publishes.

import { join } from "node:path";
import { after, before, test } from "node:test";
import { launchBrowser, openPage } from "../support-js/browser.mjs";
import { assertNoMishaps } from "../support-js/gallery.mjs";
import { needed } from "../support-js/needs.mjs";
import { demo } from "../support-js/server.mjs";

let browser;
before(async () => (browser = await launchBrowser()));
after(() => browser?.close());

for (const name of ["leptos", "yew"]) {
  test(`the ${name} page is open, gets its reply, and hears what is published`, async (t) => {
    const running = await demo("--www", join(needed("TROLLEYBUS_RUST_EXAMPLES"), name));
    t.after(() => running.stop("SIGKILL"));
    const page = await openPage(t, browser, `${running.origin}/`);
    const shows = (id, text) => page.locator(`#${id}`).getByText(text, { exact: true }).waitFor();
    await shows("state", "open");
    await page.locator("#text").fill("mind the gap 🚎");
    await page.locator("#echo").click();
    await shows("echoed", "mind the gap 🚎");
    await page.locator("#shout").click();
    await shows("shouted", "MIND THE GAP 🚎");
    assertNoMishaps(page);
  });
}
