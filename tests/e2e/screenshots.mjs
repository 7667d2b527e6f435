// Takes the pictures of the site: `cargo xtask screenshots`.
//
// Needs CHROMIUM (the browser), TROLLEYBUS_BIN (the server) and TROLLEYBUS_WWW (the built site).
// Writes PNG files into tests/e2e/screenshots and fails when a page logs an error.

import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const folder = fileURLToPath(new URL("screenshots/", import.meta.url));
const start_limit = 30_000;

const desktop = { width: 1280, height: 900 };
const phone = { width: 390, height: 844 };
const narrow = { width: 320, height: 640 };

const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-default-apps",
  "--disable-domain-reliability",
  "--disable-extensions",
  "--disable-sync",
  "--metrics-recording-only",
  "--no-pings",
  "--disable-features=OptimizationHints,MediaRouter,Translate,InterestFeedContentSuggestions,CertificateTransparencyComponentUpdater",
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1",
];

function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run this through cargo xtask screenshots`);
  return value;
}

/** Starts the demo; its URL is the first that it says on stdout. */
async function startServer() {
  const server = spawn(
    setting("TROLLEYBUS_BIN"),
    ["demo", "--listen", "127.0.0.1:0", "--www", setting("TROLLEYBUS_WWW")],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const url = await new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("the server said no URL")), start_limit).unref();
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    createInterface({ input: server.stdout }).on("line", (line) => {
      const match = line.match(/http:\/\/[^\s/]+/);
      if (match) resolve(match[0]);
    });
  });
  return { url, stop: () => server.kill() };
}

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
  const server = await startServer();
  const browser = await chromium.launch({ executablePath: setting("CHROMIUM"), args });
  try {
    for (const [name, options] of [
      ["desktop", { viewport: desktop }],
      ["phone", { viewport: phone, deviceScaleFactor: 2 }],
      ["narrow", { viewport: narrow, deviceScaleFactor: 2 }],
      ["dark", { viewport: desktop, colorScheme: "dark" }],
    ]) {
      await withPage(browser, options, (page) => visitAll(page, server.url, name));
    }
    await withPage(browser, { viewport: desktop }, (page) => visitStates(page, server.url));
    await withPage(browser, { viewport: desktop }, (page) => loseServer(page, server));
  } finally {
    await browser.close();
    server.stop();
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
  await page.goto(`${server.url}/app/`);
  await talk(page);
  server.stop();
  await page.waitForSelector('[data-testid="state"][data-state="waiting"]');
  await take(page, "app-waiting");
}

await main();
