// The facts about Vert.x's JavaScript client, of the published package and of ours: against our server
// and against an independent one, over each transport, in Node and in Chromium. Where ours differs is
// one list, which the guide for those who migrate shows row by row.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { WebSocket } from "ws";
import { EventBus as Published, TRANSPORTS, address } from "../support-js/clients.mjs";
import { gate } from "../support-js/gate.mjs";
import { independentBridge } from "../support-js/independent-bridge.mjs";
import { needed } from "../support-js/needs.mjs";
import { demo } from "../support-js/server.mjs";
import { LIMIT, within } from "../support-js/waiting.mjs";
import { facts, pageFacts } from "./vertx-behaviour.mjs";
import { differences } from "./vertx-differences.mjs";

const require = createRequire(import.meta.url);
// Node has no WebSocket of its own before version 22, and no EventSource.
globalThis.WebSocket ??= WebSocket;
globalThis.EventSource ??= require("eventsource");

const sdk = join(needed("TROLLEYBUS_WWW"), "sdk");
const { default: Ours } = await import(pathToFileURL(join(sdk, "vertx.js")));
const CLIENTS = { published: Published, ours: Ours };

const expected = ({ name, is }, client) => {
  const difference = differences.find(({ fact }) => fact === name);
  return client === "ours" && difference ? difference.ours : is;
};

/** What an independent server can tell and say of the newest connection. */
const script = (independent) => {
  const newest = () => [...independent.sockets].at(-1);
  return {
    heard: async () => newest().heard,
    say: async (...envelopes) => envelopes.forEach((envelope) => newest().say(envelope)),
    close: async (code, reason) => newest().connection.close(code, reason),
    path: async () => newest().connection.pathname,
  };
};

/** Two servers behind gates. */
const servers = {};
before(async () => {
  const [own, other] = await Promise.all([demo("--open-bridge"), independentBridge()]);
  servers.own = { ...own, gate: await gate(own.origin) };
  servers.independent = { ...other, gate: await gate(other.origin), script: script(other) };
});
after(() =>
  Promise.all(
    Object.values(servers).map(async ({ stop, gate }) => {
      await gate.stop();
      await stop();
    }),
  ),
);

/** What a fact runs with; `clean` closes what it opened. */
function stageFor(Client, { gate, script }, transport) {
  const buses = [];
  const make = (options = {}, Class = Client, url = `${gate.origin}/eventbus`) => {
    const bus = new Class(url, { transports: [transport], timeout: LIMIT, ...options });
    bus.onerror = () => {};
    buses.push(bus);
    return bus;
  };
  const open = async (options, Class) => {
    const bus = make(options, Class);
    await within(new Promise((resolve) => (bus.onopen = resolve)), `no ${transport} connection`);
    bus.onopen = undefined;
    return bus;
  };
  const clean = () => {
    gate.open();
    for (const bus of buses) {
      bus.onclose = bus.onopen = bus.onreconnect = undefined;
      bus.enableReconnect(false);
      bus.enablePing(false);
      bus.sockJSConn?.close();
    }
  };
  return { EventBus: Client, transport, gate, server: script, make, open, address: () => address("fact"), clean };
}

const runs = (client, server, transport) => {
  describe(`${client} client, ${server} server, ${transport}:`, () => {
    for (const fact of facts.filter(({ scripted }) => !scripted || server === "independent")) {
      test(fact.name, async () => {
        const stage = stageFor(CLIENTS[client], servers[server], transport);
        try {
          assert.deepEqual(await fact.run(stage), expected(fact, client));
        } finally {
          stage.clean();
        }
      });
    }
  });
};

for (const server of ["own", "independent"])
  for (const client of Object.keys(CLIENTS))
    for (const transport of TRANSPORTS) runs(client, server, transport);
