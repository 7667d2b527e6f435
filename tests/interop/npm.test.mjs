// The npm package in Node: the API of our own. Its stand-in for Vert.x's client is `vertx-behaviour.test.mjs`.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { WebSocket } from "ws";
import { address } from "../support-js/clients.mjs";
import { needed } from "../support-js/needs.mjs";
import { demo } from "../support-js/server.mjs";
import { Inbox, within } from "../support-js/waiting.mjs";

// Node has no WebSocket of its own before version 22.
globalThis.WebSocket ??= WebSocket;
const location = pathToFileURL(join(needed("TROLLEYBUS_WWW"), "sdk", "index.js"));
const { EventBus, BusError } = await import(location);

let running;
before(async () => (running = await demo("--open-bridge")));
after(() => running?.stop());

const NOBODY = "nobody consumes this";

/** Resolves when the server has handled what the client sent before. */
const settled = (bus) => assert.rejects(bus.request(NOBODY, null), { kind: "NO_HANDLERS" });

async function opened(t, transport, options = {}) {
  const bus = new EventBus(running.bridge, { transports: [transport], ...options });
  t.after(() => bus.close());
  await within(bus.ready, `no ${transport} connection`);
  assert.equal(bus.transport, transport);
  return bus;
}

const pair = (t, transport) => Promise.all([opened(t, transport), opened(t, transport)]);

for (const transport of ["websocket", "xhr-streaming", "xhr-polling"]) {
  describe(`${transport}:`, () => {
    test("a request resolves to the reply", async (t) => {
      const bus = await opened(t, transport);
      const body = { a: [1, "ü", null] };
      const reply = await bus.request("echo", body, { headers: { k: "v" } });
      assert.deepEqual(reply.body, body);
    });

    test("a request to nobody is rejected with NO_HANDLERS", async (t) => {
      const bus = await opened(t, transport);
      await assert.rejects(bus.request(NOBODY, 1), (error) => {
        assert(error instanceof BusError);
        assert.deepEqual([error.kind, error.failureCode], ["NO_HANDLERS", -1]);
        return true;
      });
    });

    test("a request without an answer is rejected with TIMEOUT", async (t) => {
      const [one, other] = await pair(t, transport);
      const { address: to } = other.consumer(address("silent"), () => {});
      await settled(other);
      await assert.rejects(one.request(to, 1, { timeout: 50 }), { kind: "TIMEOUT" });
    });

    test("a consumer replies with body and headers", async (t) => {
      const [one, other] = await pair(t, transport);
      const upper = (message) => message.reply(message.body.toUpperCase(), { headers: { h: "1" } });
      const { address: to } = other.consumer(address("upper"), upper);
      await settled(other);
      const reply = await one.request(to, "abc");
      assert.deepEqual([reply.body, reply.headers], ["ABC", { h: "1" }]);
    });

    test("a consumer's failure reaches the request with its code and text", async (t) => {
      const [one, other] = await pair(t, transport);
      const { address: to } = other.consumer(address("bad"), (message) => message.fail(7, "no"));
      await settled(other);
      const expected = { kind: "RECIPIENT_FAILURE", failureCode: 7, message: "no" };
      await assert.rejects(one.request(to, 1), expected);
    });

    test("an exception in a consumer does not stop the next message", async (t) => {
      const bus = await opened(t, transport);
      const reported = t.mock.method(console, "error", () => {});
      const bodies = new Inbox("bodies");
      const { address: to } = bus.consumer(address("throws"), ({ body }) => {
        if (body === "throw") throw new Error("thrown on purpose");
        bodies.push(body);
      });
      bus.publish(to, "throw");
      bus.publish(to, "go on");
      assert.equal(await bodies.next(), "go on");
      assert.equal(reported.mock.callCount(), 1);
    });

    test("messages are iterated in order", async (t) => {
      const bus = await opened(t, transport);
      const consumer = bus.consumer(address("iterated"));
      for (const body of [1, 2, 3]) bus.publish(consumer.address, body);
      const bodies = [];
      for await (const { body } of consumer) if (bodies.push(body) === 3) break;
      assert.deepEqual(bodies, [1, 2, 3]);
    });

    test("a reply can ask back", async (t) => {
      const [one, other] = await pair(t, transport);
      const { address: to } = other.consumer(address("asks"), async (message) => {
        const more = await message.request("which?");
        more.reply(`ok: ${more.body}`);
      });
      await settled(other);
      const question = await one.request(to, "hi");
      assert.equal(question.body, "which?");
      assert.equal((await question.request("that")).body, "ok: that");
    });

    test("consumers stay over a reconnect", async (t) => {
      const [one, other] = await pair(t, transport);
      const seen = new Inbox("seen");
      const { address: to } = other.consumer(address("stays"), ({ body }) => seen.push(body));
      await settled(other);
      other.onclose = ({ code }) => seen.push(code);
      other.onopen = () => seen.push("open");
      other.reconnect();
      assert.deepEqual(await seen.take(2), [1000, "open"]);
      await settled(other);
      // A request might go to the old session, which lives on for the server's disconnect delay
      // where it was left between two polls.
      one.publish(to, "still");
      assert.equal(await seen.next(), "still");
    });

    test("a local consumer answers its own client alone", async (t) => {
      const [one, other] = await pair(t, transport);
      const { address: to } = one.consumer(address("local"), (m) => m.reply("L"), { local: true });
      assert.equal((await one.request(to)).body, "L");
      await settled(one);
      await assert.rejects(other.request(to), { kind: "NO_HANDLERS" });
    });

    test("control characters in headers are refused as HEADERS", async (t) => {
      const bus = await opened(t, transport);
      for (const h of ["a\0b", "a\nb"])
        await assert.rejects(bus.publish("a", 1, { headers: { h } }), { kind: "HEADERS" });
    });

    test("close ends requests, consumers and sending", async (t) => {
      const [one, other] = await pair(t, transport);
      const asked = new Inbox("asked");
      const { address: to } = other.consumer(address("asked"), () => asked.push(null));
      await settled(other);
      const pending = assert.rejects(one.request(to, 1), BusError);
      await asked.next();
      const consumer = one.consumer(address("ends"));
      const closed = new Promise((resolve) => (one.onclose = resolve));
      one.close();
      await pending;
      assert.equal((await within(closed, "no onclose")).code, 1000);
      assert.equal(one.status.name, "closed");
      for await (const message of consumer) assert.fail(`got ${message.body}`);
      await assert.rejects(one.publish("a", 1), { kind: "CLOSED" });
    });
  });
}
