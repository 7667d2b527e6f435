// The facts about Vert.x's JavaScript client, of the published package and of ours: against our server
// and against an independent one, over each transport in Node, and in Chromium. Where ours differs is
// one list, which the guide for those who migrate shows row by row.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { WebSocket } from "ws";
import { launchBrowser, openPage } from "../support-js/browser.mjs";
import { EventBus as Published, TRANSPORTS, address } from "../support-js/clients.mjs";
import { gate } from "../support-js/gate.mjs";
import { independentBridge } from "../support-js/independent-bridge.mjs";
import { needed } from "../support-js/needs.mjs";
import { demo } from "../support-js/server.mjs";
import { runFact, vertxSite } from "../support-js/vertx-site.mjs";
import { stageFor } from "../support-js/vertx-stage.mjs";
import { facts, pageFacts } from "./vertx-behaviour.mjs";
import { differences } from "./vertx-differences.mjs";

// Node has no WebSocket of its own before version 22, and no EventSource.
globalThis.WebSocket ??= WebSocket;
globalThis.EventSource ??= createRequire(import.meta.url)("eventsource");

const script = join(needed("TROLLEYBUS_WWW"), "sdk/vertx.js");
const { default: Ours } = await import(pathToFileURL(script));
const CLIENTS = { published: Published, ours: Ours };
/** How many runs go on at a time: the published client is slow to notice a lost stream. */
const CONCURRENCY = 4;

const expected = ({ name, is }, client) => {
  const difference = client === "ours" && differences.find(({ fact }) => fact === name);
  return difference ? difference.ours : is;
};

/** What an independent server can tell and say of the newest connection under a name of its own. */
const scriptOf = (independent, name) => {
  const fits = ({ connection }) => connection.pathname.startsWith(`/${name}/`);
  const newest = () => [...independent.sockets].filter(fits).at(-1);
  return {
    heard: async () => newest().heard,
    say: async (...envelopes) => envelopes.forEach((envelope) => newest().say(envelope)),
    close: async (code, reason) => newest().connection.close(code, reason),
    path: async () => newest().connection.pathname,
  };
};

/** A server of its own for each run, behind a gate. */
const SERVERS = { own: () => demo("--open-bridge"), independent: independentBridge };

function withServer(name) {
  const place = {};
  let running;
  before(async () => {
    running = await SERVERS[name]();
    place.gate = await gate(running.origin);
    place.inside = () => {
      const inside = { gate: place.gate, url: `${place.gate.origin}/eventbus`, address: () => address("fact") };
      if (name === "own") return inside;
      const mark = randomUUID();
      return { ...inside, url: `${place.gate.origin}/${mark}/eventbus`, server: scriptOf(running, mark) };
    };
  });
  after(async () => {
    await place.gate?.stop();
    await running?.stop();
  });
  return place;
}

const runs = (client, server, transport) =>
  describe(`${client} client, ${server} server, ${transport}:`, { concurrency: 1 }, () => {
    const place = withServer(server);
    for (const fact of facts.filter(({ scripted }) => !scripted || server === "independent")) {
      test(fact.name, async () => {
        const stage = stageFor(CLIENTS[client], { ...place.inside(), transport });
        try {
          assert.deepEqual(await fact.run(stage), expected(fact, client));
        } finally {
          await stage.clean();
        }
      });
    }
  });

describe("in Node:", { concurrency: CONCURRENCY }, () => {
  for (const transport of TRANSPORTS.toReversed())
    for (const client of Object.keys(CLIENTS)) for (const server of Object.keys(SERVERS)) runs(client, server, transport);
});

describe("in Chromium:", () => {
  const place = withServer("independent");
  let browser, site, page, inside;
  before(async () => {
    [browser, site] = await Promise.all([launchBrowser(), vertxSite()]);
    page = await openPage({ after: () => {} }, browser, site.origin);
    await page.exposeFunction("inNode", (room, name, args) => inside[room][name](...args));
  });
  after(() => Promise.all([browser?.close(), site?.stop()]));

  for (const client of Object.keys(CLIENTS)) {
    for (const fact of [...facts, ...pageFacts]) {
      test(`${client} client: ${fact.name}`, async () => {
        inside = place.inside();
        const given = { name: fact.name, client, url: inside.url, transport: "websocket" };
        const outcome = await page.evaluate(runFact, given);
        assert.deepEqual(outcome, expected(fact, client));
      });
    }
  }
});

describe("the differences", () => {
  test("are of facts that there are, and are differences", () => {
    const known = [...facts, ...pageFacts];
    for (const { fact: name, ours } of differences) {
      const fact = known.find((fact) => fact.name === name);
      assert(fact, `no fact: ${name}`);
      assert.notDeepEqual(ours, fact.is, name);
    }
    assert.equal(new Set(known.map(({ name }) => name)).size, known.length);
  });

  test("are the table in the guide, row by row", async () => {
    const guide = await readFile(join(import.meta.dirname, "../../docs/migrating.md"), "utf8");
    const [, , ...rows] = guide.match(/## What differs\n[^|]*((?:\|.*\n)+)/)[1].trim().split("\n");
    const cells = rows.map((row) => row.slice(2, -2).split(" | "));
    assert.deepEqual(cells, differences.map(({ row }) => row));
  });
});
