// Looking at a page, the same way in Playwright's Chromium and in our Firefox.

import assert from "node:assert/strict";
import { LIMIT } from "./waiting.mjs";

/** Waits until an element that a selector finds has a text, or any where none is given. */
export async function seen(page, selector, text = null) {
  const found = await page.evaluate(inSight, { selector, text, limit: LIMIT });
  if (found === true) return;
  const wanted = text === null ? selector : `${selector} with ${JSON.stringify(text)}`;
  throw new Error(`not seen: ${wanted}; there is ${JSON.stringify(found)}; ${page.mishaps.join("; ") || "no mishaps"}`);
}

/** In the page: true, or after a while the texts that are there instead. */
function inSight({ selector, text, limit }) {
  const texts = () => [...document.querySelectorAll(selector)].map((element) => element.textContent.trim());
  const isThere = () => (text === null ? texts().length > 0 : texts().includes(text));
  return new Promise((resolve) => {
    const finish = (result) => {
      observer.disconnect();
      clearTimeout(timer);
      resolve(result);
    };
    const observer = new MutationObserver(() => isThere() && finish(true));
    const timer = setTimeout(() => finish(texts()), limit);
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    if (isThere()) finish(true);
  });
}

/** Types into the form of a page and sends it off. */
export function submit(page, text) {
  return page.evaluate((typed) => {
    const input = document.querySelector("form input");
    // Frameworks that watch the property of an input have put theirs over it.
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, typed);
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.form.requestSubmit();
  }, text);
}

/** Nothing went wrong in a page but what is expected. */
export function assertNoMishaps(page, expected) {
  assert.deepEqual(page.mishaps.filter((mishap) => !expected?.test(mishap)), []);
}
