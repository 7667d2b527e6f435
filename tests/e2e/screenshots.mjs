// Takes the pictures of the site: `cargo xtask screenshots`.
//
// Needs CHROMIUM (the browser), TROLLEYBUS_BIN (the server) and TROLLEYBUS_WWW (the built site).
// Writes PNG files into tests/e2e/screenshots and fails when a page logs an error.

import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { launchBrowser } from "../support-js/browser.mjs";
import { needed } from "../support-js/needs.mjs";
import { demo } from "../support-js/server.mjs";

const folder = fileURLToPath(new URL("screenshots/", import.meta.url));

const desktop = { width: 1280, height: 900 };
const phone = { width: 390, height: 844 };
const narrow = { width: 320, height: 640 };

const browserErrors = [];

async function withPage(browser, options, use) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() !== "error" || message.text().includes("ERR_CONNECTION_REFUSED")) return;
    browserErrors.push(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => browserErrors.push(`${page.url()}: ${error}`));
  await use(page);
  await context.close();
}

async function take(page, name) {
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  if (overflow > 0) throw new Error(`${name} is ${overflow} px wider than the window`);
  await page.screenshot({ path: `${folder}${name}.png`, fullPage: true });
  console.log(`${name}.png`);
}

const open = (page) => page.waitForSelector('[data-testid="state"][data-state="open"]');

async function expectReceived(page, text) {
  const body = JSON.stringify(text).replaceAll('"', '\\"');
  await page.waitForSelector(`[data-testid="received"] [data-body="${body}"]`);
}

/** Sends a few words in each way and waits for the last answer. */
async function talk(page) {
  await open(page);
  for (const [word, button] of [
    ["next stop", "publish"],
    ["market square", "request"],
    ["mind the doors", "echo"],
    ["straße am depot", "publish"],
    ["terminus", "request"],
  ]) {
    await page.getByTestId("input").fill(word);
    await page.getByTestId(button).click();
  }
  await expectReceived(page, "STRASSE AM DEPOT");
  await page.waitForFunction(
    () => document.querySelector('[data-testid="ledger-pending"]').textContent === "0",
  );
}

async function main() {
  await mkdir(folder, { recursive: true });
  const server = await demo("--www", needed("TROLLEYBUS_WWW"));
  const browser = await launchBrowser();
  try {
    for (const [name, options] of [
      ["desktop", { viewport: desktop }],
      ["phone", { viewport: phone, deviceScaleFactor: 2 }],
      ["narrow", { viewport: narrow, deviceScaleFactor: 2 }],
      ["dark", { viewport: desktop, colorScheme: "dark" }],
    ]) {
      await withPage(browser, options, (page) => visitAll(page, server.origin, name));
    }
    await withPage(browser, { viewport: desktop }, (page) => visitStates(page, server.origin));
    await withPage(browser, { viewport: desktop }, (page) => loseServer(page, server));
  } finally {
    await browser.close();
    await server.stop();
    browserErrors.forEach((error) => console.error(error));
  }
  if (browserErrors.length > 0) throw new Error("a page logged errors");
}

async function visitAll(page, url, name) {
  await page.goto(`${url}/`);
  await take(page, `landing-${name}`);
  await page.goto(`${url}/plain.html`);
  await open(page);
  await page.getByTestId("input").fill("mind the gap");
  await page.getByTestId("publish").click();
  await page.getByText("MIND THE GAP").waitFor();
  await take(page, `plain-${name}`);
  await page.goto(`${url}/app/`);
  await open(page);
  await take(page, `app-${name}-empty`);
  await talk(page);
  await take(page, `app-${name}`);
}

async function visitStates(page, url) {
  await page.goto(`${url}/app/?transport=xhr-polling`);
  await talk(page);
  await page.getByTestId("transport").getByText("xhr-polling").waitFor();
  await take(page, "app-xhr-polling");
  await page.goto(`${url}/app/?serve=tabs`);
  await talk(page);
  await take(page, "app-tabs");
}

/** The connection's other face; the server is gone afterwards. */
async function loseServer(page, server) {
  await page.goto(`${server.origin}/app/`);
  await talk(page);
  await server.stop();
  await page.waitForSelector('[data-testid="state"][data-state="waiting"]');
  await take(page, "app-waiting");
}

await main();
