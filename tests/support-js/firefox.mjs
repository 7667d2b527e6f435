// Firefox as it comes, driven over WebDriver BiDi. Its pages have of Playwright's what tests use.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { needed } from "./needs.mjs";
import { Program } from "./process.mjs";
import { LIMIT, within } from "./waiting.mjs";

/** How long a cold start may take on a busy machine. */
const START_LIMIT = 60_000;
/** How long a command may take, waits within a page included. */
const COMMAND_LIMIT = 30_000;

/** Nothing but this machine is asked anything: all else goes to a proxy that is not there. */
const SETTINGS = {
  "app.normandy.enabled": false,
  "app.update.enabled": false,
  "browser.safebrowsing.update.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "network.proxy.type": 1,
  "network.proxy.http": "127.0.0.1",
  "network.proxy.http_port": 9,
  "network.proxy.ssl": "127.0.0.1",
  "network.proxy.ssl_port": 9,
  "toolkit.telemetry.enabled": false,
};

const toPreference = ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`;

/** A headless Firefox with a profile of its own. */
export async function launchFirefox() {
  const profile = await mkdtemp(join(tmpdir(), "trolleybus-firefox-"));
  await writeFile(join(profile, "user.js"), Object.entries(SETTINGS).map(toPreference).join(""));
  const flags = ["--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", profile];
  const program = new Program(needed("FIREFOX"), flags, { MOZ_CRASHREPORTER_DISABLE: "1" });
  const browser = new Firefox(program, profile);
  try {
    await browser.connect();
    return browser;
  } catch (error) {
    await browser.close();
    throw error;
  }
}

/** A page in storage of its own, closed when the test ends. */
export async function openInFirefox(t, browser, url) {
  const page = await browser.newPage();
  t.after(() => page.close());
  await page.goto(url);
  return page;
}

class Firefox {
  #program;
  #profile;
  #socket;
  #number = 0;
  #commands = new Map();
  #pages = new Map();

  constructor(program, profile) {
    this.#program = program;
    this.#profile = profile;
  }

  async connect() {
    const url = await within(this.#listening(), "Firefox listens", START_LIMIT);
    this.#socket = new WebSocket(`${url}/session`);
    await within(
      new Promise((resolve, reject) => this.#socket.once("open", resolve).once("error", reject)),
      "a session of Firefox",
    );
    this.#socket.on("message", (data) => this.#take(JSON.parse(data)));
    this.#socket.on("close", () => this.#fail(new Error("Firefox went away")));
    await this.command("session.new", { capabilities: {} });
    await this.command("session.subscribe", { events: ["log.entryAdded"] });
  }

  async #listening() {
    const early = this.#program.closed.then((code) => {
      throw new Error(`Firefox ended with ${code}: ${this.#program.complaints}`);
    });
    early.catch(() => {});
    for (;;) {
      const line = await Promise.race([this.#program.errors.next(START_LIMIT), early]);
      const match = line.match(/WebDriver BiDi listening on (ws:\S+)/);
      if (match) return match[1];
    }
  }

  #take({ id, type, result, message, method, params }) {
    if (method === "log.entryAdded") return this.#pages.get(params.source.context)?.log(params);
    const waiting = this.#commands.get(id);
    this.#commands.delete(id);
    if (type === "error") waiting?.reject(new Error(message));
    else waiting?.resolve(result);
  }

  #fail(error) {
    for (const { reject } of this.#commands.values()) reject(error);
    this.#commands.clear();
  }

  command(method, params, limit = COMMAND_LIMIT) {
    const id = (this.#number += 1);
    const answer = new Promise((resolve, reject) => this.#commands.set(id, { resolve, reject }));
    this.#socket.send(JSON.stringify({ id, method, params }));
    return within(answer, method, limit);
  }

  /** A page with storage and cookies of its own, or a further one beside `other`. */
  async newPage(other) {
    const userContext = other?.userContext ?? (await this.command("browser.createUserContext", {})).userContext;
    const create = () => this.command("browsingContext.create", { type: "tab", userContext }, LIMIT);
    // On a busy machine Firefox may open a tab and never say so; that one stays unused.
    const { context } = await create().catch(create);
    const page = new FirefoxPage(this, context, userContext);
    this.#pages.set(context, page);
    return page;
  }

  async close() {
    try {
      if (this.#socket?.readyState === WebSocket.OPEN) await this.command("browser.close", {});
    } finally {
      this.#socket?.terminate();
      await this.#program.stop("SIGTERM");
      await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
    }
  }
}

class FirefoxPage {
  /** Errors on the console, and exceptions. */
  mishaps = [];
  #browser;
  #context;

  constructor(browser, context, userContext) {
    this.#browser = browser;
    this.#context = context;
    this.userContext = userContext;
  }

  log({ level, type, text }) {
    if (level === "error") this.mishaps.push(`${type === "javascript" ? "exception" : type}: ${text}`);
  }

  async goto(url) {
    await this.#browser.command("browsingContext.navigate", { context: this.#context, url, wait: "complete" });
  }

  /** What a function gives that is called in the page, as JSON has it. */
  async evaluate(inPage, argument = null) {
    const { type, result, exceptionDetails } = await this.#browser.command("script.callFunction", {
      functionDeclaration: `async (argument) => JSON.stringify((await (${inPage})(JSON.parse(argument))) ?? null)`,
      arguments: [{ type: "string", value: JSON.stringify(argument) }],
      awaitPromise: true,
      target: { context: this.#context },
    });
    if (type === "exception") throw new Error(exceptionDetails.text);
    return JSON.parse(result.value);
  }

  /** A picture in PNG. */
  async screenshot() {
    const { data } = await this.#browser.command("browsingContext.captureScreenshot", { context: this.#context });
    return Buffer.from(data, "base64");
  }

  async close() {
    await this.#browser.command("browsingContext.close", { context: this.#context });
  }
}
