// The npm package where there is no page: in a Web Worker, a SharedWorker and a service worker.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launchBrowser, openTab } from "../support-js/browser.mjs";
import { socketsAre, startSite } from "../support-js/tabs.mjs";
import { within } from "../support-js/waiting.mjs";

/** Answers what it is asked with what the bus answers to it, and tells how it is connected. */
const ASK = `
import { connect } from "/sdk/index.js";

const ask = async ({ transports, shared }) => {
  const bus = await connect("/eventbus", { transports, shared });
  const consumer = bus.consumer("of the worker", (message) => message.reply("heard " + message.body));
  await consumer.completion;
  const { body } = await bus.request("of the worker", "this");
  const { transport } = bus.status;
  await bus.close();
  return [body, transport];
};

const answer = async (port, data) => {
  try {
    port.postMessage(await ask(data));
  } catch (error) {
    port.postMessage(String(error?.stack ?? error));
  }
};
`;

const FILES = {
  "dedicated.js": `${ASK}
onmessage = ({ data }) => answer(self, data);`,
  "common.js": `${ASK}
onconnect = ({ ports: [port] }) => (port.onmessage = ({ data }) => answer(port, data));`,
  "service.js": `${ASK}
onmessage = (event) => event.waitUntil(answer(event.source, event.data));`,
};

/** In a page: asks a worker of its kind, and gives its answer. */
const ASKERS = {
  "a Web Worker": (options) =>
    new Promise((resolve, reject) => {
      const worker = new Worker("/dedicated.js", { type: "module" });
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.onmessage = ({ data }) => resolve(data);
      worker.postMessage(options);
    }),
  "a SharedWorker": (options) =>
    new Promise((resolve, reject) => {
      const worker = new SharedWorker("/common.js", { type: "module" });
      worker.onerror = () => reject(new Error("it did not start"));
      worker.port.onmessage = ({ data }) => resolve(data);
      worker.port.postMessage(options);
    }),
  "a service worker": async (options) => {
    await navigator.serviceWorker.register("/service.js", { type: "module" });
    const { active } = await navigator.serviceWorker.ready;
    return new Promise((resolve) => {
      navigator.serviceWorker.onmessage = ({ data }) => resolve(data);
      navigator.serviceWorker.startMessages();
      active.postMessage(options);
    });
  },
};

/** Service workers have no EventSource. */
const TRANSPORTS = ["websocket", "xhr-streaming", "xhr-polling"];

let browser, running;
before(async () => ([browser, running] = await Promise.all([launchBrowser(), startSite(FILES)])));
after(() => Promise.all([browser?.close(), running?.stop("SIGKILL")]));

for (const [place, ask] of Object.entries(ASKERS))
  describe(`in ${place}`, () => {
    const answers = async (t, options) => {
      const context = await browser.newContext();
      t.after(() => context.close());
      const page = await openTab(context, `${running.origin}/`);
      const answer = await within(page.evaluate(ask, options), `an answer of ${place}`);
      assert.deepEqual(page.mishaps, []);
      return answer;
    };

    for (const transport of TRANSPORTS)
      test(`a bus is served and asked over ${transport}`, async (t) => {
        assert.deepEqual(await answers(t, { transports: [transport] }), ["heard this", transport]);
        await socketsAre(running, 0);
      });

    test("the connection may be asked to be shared", async (t) => {
      assert.deepEqual(await answers(t, { shared: true }), ["heard this", "websocket"]);
      await socketsAre(running, 0);
    });
  });

test("importing the package starts nothing", async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await openTab(context, `${running.origin}/`);
  const loaded = [];
  page.on("request", (request) => loaded.push(new URL(request.url()).pathname));
  await page.evaluate(() => import("/sdk/index.js"));
  assert.deepEqual(loaded, ["/sdk/index.js"]);
});
