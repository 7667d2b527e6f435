// Chromium, as headless and as quiet as it gets, and a watch over what its pages do.

import { chromium } from "playwright-core";
import { needed } from "./needs.mjs";
import { LIMIT } from "./waiting.mjs";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-quic",
  "--no-first-run",
  "--no-default-browser-check",
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

export function launchBrowser(options = {}) {
  return chromium.launch({ executablePath: needed("CHROMIUM"), args: ARGUMENTS, ...options });
}

/**
 * A page in a context of its own. `page.mishaps` lists console errors, exceptions, and requests
 * to other machines; the test says which it expects.
 */
export async function openPage(t, browser, url) {
  const context = await browser.newContext({ reducedMotion: "reduce" });
  t.after(() => context.close());
  return openTab(context, url);
}

/** A further page in a context. */
export async function openTab(context, url) {
  const page = await context.newPage();
  page.setDefaultTimeout(LIMIT);
  page.mishaps = [];
  page.on("console", (message) => {
    if (message.type() === "error") page.mishaps.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => page.mishaps.push(`exception: ${error.stack}`));
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    const local = hostname === "127.0.0.1" || ["data:", "blob:", "about:"].includes(protocol);
    if (!local) page.mishaps.push(`request: ${request.url()}`);
  });
  page.on("websocket", (socket) => {
    if (new URL(socket.url()).hostname !== "127.0.0.1") page.mishaps.push(`socket: ${socket.url()}`);
  });
  await page.goto(url);
  return page;
}
