// The published clients in Chromium, over each transport that sockjs-client has there, from the
// origin of the bridge and from another one.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { address } from "../support-js/clients.mjs";
import { launchBrowser, openPage } from "../support-js/browser.mjs";
import { OPEN, serve } from "../support-js/server.mjs";
import { siteFolder, siteServer } from "../support-js/site.mjs";
import { LIMIT } from "../support-js/waiting.mjs";

const TRANSPORTS = [
  "websocket", "xhr-streaming", "eventsource", "iframe-eventsource", "iframe-htmlfile", "xhr-polling",
  "iframe-xhr-polling", "jsonp-polling",
];

let browser, elsewhere, site, running;
before(async () => {
  [browser, elsewhere, site] = await Promise.all([launchBrowser(), siteServer(), siteFolder()]);
  // The iframe page and the page that loads it need the same version of the client.
  const sockjs = { client_url: "/sockjs.min.js" };
  running = await serve({ bridge: OPEN, sockjs, server: { drain_timeout_ms: 500, www: site.folder } });
});
after(async () => {
  await Promise.all([browser?.close(), elsewhere?.stop(), running?.stop()]);
  await site?.remove();
});

/** In the page: everything that a client does, in one conversation. */
async function converse({ bridge, transport, limit, service, many }) {
  const EventBus = window.EventBus;
  const bus = new EventBus(bridge, { transports: [transport], timeout: limit });
  const told = {};
  bus.onerror = (error) => (told.refused = error.body);
  await new Promise((resolve, reject) => {
    bus.onopen = resolve;
    bus.onclose = (event) => reject(new Error(`closed with ${event.code} ${event.reason}`));
  });
  told.transport = bus.sockJSConn.transport;
  const request = (address, body, headers) =>
    new Promise((resolve) => bus.send(address, body, headers, (failure, reply) => resolve(failure ?? reply)));

  // A service of this client: it replies, and wants a reply to that.
  const thanked = new Promise((resolve) => {
    bus.registerHandler(service, (_, message) => {
      message.reply({ echo: message.body }, message.headers, (_, thanks) => resolve(thanks.body));
    });
  });
  const texts = "Grüße 電車 🚎 %25 </script>\u2028\u0000\ufeff";
  const reply = await request(service, [texts, 1.5, null], { line: "zwölf" });
  reply.reply("thanks");
  Object.assign(told, { reply: reply.body, headers: reply.headers, thanked: await thanked });
  told.texts = texts;
  told.failure = (await request("nobody", 1, {})).failureType;

  const all = new Promise((resolve) => {
    const bodies = [];
    bus.registerHandler(many, (_, message) => bodies.push(message.body) === 200 && resolve(bodies));
  });
  for (let number = 0; number < 200; number += 1) bus.publish(many, number);
  told.many = await all;

  // A body past the limit of a response, so that a stream has to be opened anew.
  const large = await request(service, "x".repeat(140_000), {});
  told.large = large.body.echo.length;
  bus.sockJSConn.send("nonsense");
  await request("nobody", 1, {});

  const left = new Promise((resolve) => (bus.onclose = (event) => resolve(event.code)));
  bus.close();
  told.left = await left;
  return told;
}

async function talks(t, origin, transport) {
  const page = await openPage(t, browser, `${origin}/`);
  // A client that left by HTTP may be on the bus for some seconds, so each has addresses of its own.
  const addresses = { service: address("service"), many: address("many") };
  const told = await page.evaluate(converse, { bridge: running.bridge, transport, limit: LIMIT, ...addresses });
  assert.equal(told.transport, transport);
  assert.deepEqual(told.reply, { echo: [told.texts, 1.5, null] });
  assert.deepEqual([told.headers, told.thanked, told.failure], [{ line: "zwölf" }, "thanks", "NO_HANDLERS"]);
  assert.deepEqual(told.many, Array.from({ length: 200 }, (_, number) => number));
  assert.deepEqual([told.large, told.refused, told.left], [140_000, "invalid_json", 1000]);
  assert.deepEqual(page.mishaps, []);
}

describe("from the bridge's own origin:", () => {
  for (const transport of [...TRANSPORTS, "htmlfile"]) {
    test(`${transport} carries everything`, (t) => talks(t, running.origin, transport));
  }
});

describe("from another origin:", () => {
  for (const transport of TRANSPORTS) {
    test(`${transport} carries everything`, (t) => talks(t, elsewhere.origin, transport));
  }

  test("the client chooses WebSocket by itself", async (t) => {
    const page = await openPage(t, browser, `${elsewhere.origin}/`);
    const chosen = await page.evaluate(
      (bridge) =>
        new Promise((resolve, reject) => {
          const socket = new window.SockJS(bridge);
          socket.onopen = () => resolve(socket.transport);
          socket.onclose = (event) => reject(new Error(`closed with ${event.code}`));
        }),
      running.bridge,
    );
    assert.equal(chosen, "websocket");
  });

  test("pages of both origins and all transports share the bus", async (t) => {
    const here = await openPage(t, browser, `${running.origin}/`);
    const there = await openPage(t, browser, `${elsewhere.origin}/`);
    const listen = (page, transport) =>
      page.evaluate(
        ({ bridge, transport, limit }) =>
          new Promise((resolve) => {
            const bus = (window.bus = new window.EventBus(bridge, { transports: [transport], timeout: limit }));
            window.heard = new Promise((hear) => {
              bus.onopen = () => {
                bus.registerHandler("shared", (_, message) => hear(message.body));
                bus.send("nobody", null, {}, resolve);
              };
            });
          }),
        { bridge: running.bridge, transport, limit: LIMIT },
      );
    await Promise.all([listen(here, "websocket"), listen(there, "jsonp-polling")]);
    await there.evaluate(() => window.bus.publish("shared", "from there"));
    const heard = await Promise.all([here, there].map((page) => page.evaluate(() => window.heard)));
    assert.deepEqual(heard, ["from there", "from there"]);
  });
});
