// The guide and the API reference: every page is there, and no link leads nowhere.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launchBrowser, openPage } from "../support-js/browser.mjs";
import { assertNoMishaps, startDemo } from "../support-js/gallery.mjs";

let browser, running;
before(async () => ([browser, running] = await Promise.all([launchBrowser(), startDemo()])));
after(() => Promise.all([browser?.close(), running?.stop("SIGKILL")]));

const LINK = /<a\b[^>]*?\bhref="([^"]+)"/g;
const ANCHOR = /\b(?:id|name)="([^"]+)"/g;

const found = (text, pattern) => Array.from(text.matchAll(pattern), ([, value]) => value.replaceAll("&amp;", "&"));

/** All pages that can be reached from `start`, as a map of URL to text; a broken link is an error. */
async function walk(start) {
  const pages = new Map();
  const ways = [[start, "the test"]];
  for (const [url, from] of ways) {
    if (pages.has(url)) continue;
    const response = await fetch(url);
    assert.equal(response.status, 200, `${url}, linked from ${from}`);
    const isPage = response.headers.get("Content-Type").startsWith("text/html");
    pages.set(url, isPage ? await response.text() : "");
    for (const link of found(pages.get(url), LINK)) {
      const target = new URL(link, response.url);
      target.hash = "";
      if (target.origin === running.origin) ways.push([target.href, url]);
    }
  }
  return pages;
}

describe("the guide", () => {
  test("has no broken link, nor has any page that it leads to", async () => {
    const pages = await walk(`${running.origin}/`);
    for (const page of ["guide/", "guide/reconnecting.html", "guide/protocol.html", "reference/classes/index.EventBus.html"])
      assert(pages.has(`${running.origin}/${page}`), `nothing links to ${page}`);
  });

  test("has a place for each link within a page", async () => {
    const pages = await walk(`${running.origin}/guide/`);
    for (const [url, text] of pages) {
      if (!url.startsWith(`${running.origin}/guide/`)) continue;
      for (const link of found(text, LINK).filter((link) => link.includes("#"))) {
        const target = new URL(link, url);
        const place = decodeURIComponent(target.hash.slice(1));
        target.hash = "";
        assert(found(pages.get(target.href), ANCHOR).includes(place), `${url} links to ${link}`);
      }
    }
  });

  for (const page of ["guide/", "reference/", "reference/classes/index.EventBus.html"]) {
    test(`${page} opens without a mishap, also on a phone`, async (t) => {
      const shown = await openPage(t, browser, `${running.origin}/${page}`);
      await shown.getByRole("heading", { level: 1 }).first().waitFor();
      await shown.setViewportSize({ width: 360, height: 740 });
      const overflow = await shown.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert(overflow <= 0, `${page} is ${overflow} px wider than a phone`);
      assertNoMishaps(shown);
    });
  }
});
