// The demo's pages as a visitor uses them.

import assert from "node:assert/strict";
import { needed } from "./needs.mjs";
import { demo } from "./server.mjs";
import { LIMIT } from "./waiting.mjs";

/** The real demo, as `cargo xtask demo` starts it. */
export const startDemo = (...flags) => demo("--www", needed("TROLLEYBUS_WWW"), ...flags);

const quoted = (value) => JSON.stringify(JSON.stringify(value));

/** Waits until all these are in sight; an error tells what else went wrong in the page. */
async function sees(page, what, ...locators) {
  try {
    for (const locator of locators) await locator.first().waitFor({ timeout: LIMIT });
  } catch (cause) {
    const state = await page.getByTestId("state").getAttribute("data-state", { timeout: 1_000 }).catch(() => "missing");
    throw new Error(`${what}: not seen; the sign says ${state}; ${page.mishaps.join("; ") || "no mishaps"}`, { cause });
  }
}

/** Waits until the sign shows a state, and a transport if one is named. */
export function shows(page, state, transport) {
  const sign = [page.locator(`[data-testid=state][data-state=${state}]`)];
  if (transport) sign.push(page.getByTestId("transport").getByText(transport, { exact: true }));
  return sees(page, `${state} over ${transport ?? "anything"}`, ...sign);
}

/** Types a text and presses a button: publish, request or echo. */
export async function say(page, text, button = "publish") {
  // A tab in the background draws too seldom to be clicked soon.
  await page.bringToFront();
  await page.getByTestId("input").fill(text);
  await page.getByTestId(button).click();
}

/** The lines of a list whose body is this one; `more` narrows it down. */
export const lines = (page, list, body, more = "") =>
  page.getByTestId(list).locator(`[data-testid=entry][data-body=${quoted(body)}]${more}`);

/** Waits until a body stands in the list of what was received. */
export const received = (page, body, more = "") =>
  sees(page, `received ${JSON.stringify(body)}${more}`, lines(page, "received", body, more));

/** Waits until what was said is answered. */
export const answered = (page, text) =>
  sees(page, `an answer to ${text}`, lines(page, "sent", text, "[data-fate=answered]"));

/** The figures of the loss ledger. */
export async function ledger(page) {
  const figure = async (name) => Number(await page.getByTestId(`ledger-${name}`).textContent());
  const names = ["sent", "answered", "pending", "failed", "duplicates"];
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await figure(name)])));
}

/** Nothing went wrong in the page but what the test expects. */
export function assertNoMishaps(page, expected) {
  const unexpected = expected ? page.mishaps.filter((mishap) => !expected.test(mishap)) : page.mishaps;
  assert.deepEqual(unexpected, []);
}
