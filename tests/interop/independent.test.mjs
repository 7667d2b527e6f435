// The modern face against a server that is not ours and knows none of our extensions: what is plain
// Vert.x works over each transport, and the rest gives way without anything that hangs.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { WebSocket } from "ws";
import { TRANSPORTS, address } from "../support-js/clients.mjs";
import { gate } from "../support-js/gate.mjs";
import { independentBridge } from "../support-js/independent-bridge.mjs";
import { needed } from "../support-js/needs.mjs";
import { Inbox, within } from "../support-js/waiting.mjs";

// Node has no WebSocket of its own before version 22, and no EventSource.
globalThis.WebSocket ??= WebSocket;
globalThis.EventSource ??= createRequire(import.meta.url)("eventsource");
const { BusError, connect } = await import(pathToFileURL(join(needed("TROLLEYBUS_WWW"), "sdk/index.js")));

const QUICK = { vertxbus_reconnect_delay_min: 10, vertxbus_reconnect_delay_max: 20 };
/** Longer than a client waits for a receipt. */
const RECEIPT_LIMIT = 20_000;

let server, entrance;
before(async () => {
  server = await independentBridge();
  entrance = await gate(server.origin);
});
after(async () => {
  await entrance?.stop();
  await server?.stop();
});

async function opened(t, transport) {
  const options = { transports: [transport], ...QUICK };
  const bus = await within(connect(`${entrance.origin}/eventbus`, options), `no ${transport} connection`);
  t.after(() => bus.close());
  return bus;
}

const settled = (bus) => assert.rejects(bus.request(address("nobody"), null), { kind: "NO_HANDLERS" });

for (const transport of TRANSPORTS) {
  describe(`${transport}:`, () => {
    test("requests, replies and replies to them", async (t) => {
      const [one, other] = await Promise.all([opened(t, transport), opened(t, transport)]);
      const { address: to } = other.consumer(address("asks"), async (message) => {
        const more = await message.request("which?", { headers: { h: "v" } });
        more.reply([more.body]);
      });
      await settled(other);
      const question = await one.request(to, { a: "ü" }, { timeout: 5000 });
      assert.deepEqual([question.body, question.headers], ["which?", { h: "v" }]);
      assert.deepEqual((await question.request("that")).body, ["that"]);
    });

    test("messages in a loop, in order, also over a lost connection", async (t) => {
      const bus = await opened(t, transport);
      const consumer = bus.consumer(address("loop"));
      await settled(bus);
      for (const body of [1, 2]) bus.publish(consumer.address, body);
      const bodies = [];
      for await (const { body } of consumer) {
        if (bodies.push(body) === 2) {
          const reopened = new Inbox("reopened");
          bus.onstate = ({ name }) => name === "open" && reopened.push(name);
          entrance.cut();
          await reopened.next();
          bus.publish(consumer.address, 3);
        }
        if (bodies.length === 3) break;
      }
      assert.deepEqual(bodies, [1, 2, 3]);
    });

    test("a request ends when its connection goes", async (t) => {
      const bus = await opened(t, transport);
      const asked = new Inbox("asked");
      const { address: to } = bus.consumer(address("silent"), () => asked.push(null));
      const pending = assert.rejects(bus.request(to, 1), { kind: "CONNECTION_LOST" });
      await asked.next();
      entrance.cut();
      await within(pending, "no end");
    });
  });
}

describe("without our extensions", () => {
  test("a registration stands, and its completion ends with TIMEOUT", { timeout: 60_000 }, async (t) => {
    const bus = await opened(t, "websocket");
    const bodies = new Inbox("bodies");
    const consumers = [
      bus.consumer(address("plain"), ({ body }) => bodies.push(body)),
      bus.consumer("some.*", () => {}, { pattern: true, overflow: "latest" }),
    ];
    bus.publish(consumers[0].address, "arrives");
    assert.equal(await bodies.next(), "arrives");
    for (const { completion } of consumers) {
      const end = assert.rejects(completion, (error) => error instanceof BusError && error.kind === "TIMEOUT");
      await within(end, "no end", RECEIPT_LIMIT);
    }
  });

  test("a refused request ends with its own timeout", async (t) => {
    const bus = await opened(t, "websocket");
    const errors = new Inbox("onerror");
    bus.onerror = (error) => errors.push(error);
    await assert.rejects(bus.request("forbidden.address", 1, { timeout: 100 }), { kind: "TIMEOUT" });
    assert.equal((await errors.next()).word, "access_denied");
  });

  test("a failure of a consumer arrives as an empty reply", async (t) => {
    const bus = await opened(t, "websocket");
    const { address: to } = bus.consumer(address("fails"), (message) => message.fail(7, "no"));
    assert.equal((await bus.request(to, 1)).body, null);
  });

  test("a token that nobody asks for does no harm", async (t) => {
    const options = { transports: ["websocket"], token: "unasked", ...QUICK };
    const bus = await within(connect(`${entrance.origin}/eventbus`, options), "no connection");
    t.after(() => bus.close());
    bus.onerror = () => {};
    await settled(bus);
  });
});
