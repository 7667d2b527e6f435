// The npm package where it goes beyond Vert.x: tokens, acknowledged registrations, patterns, overflow,
// and consumers that take what they want.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { WebSocket } from "ws";
import { address } from "../support-js/clients.mjs";
import { needed } from "../support-js/needs.mjs";
import { run } from "../support-js/process.mjs";
import { OPEN, serve } from "../support-js/server.mjs";
import { Inbox, within } from "../support-js/waiting.mjs";

// Node has no WebSocket of its own before version 22.
globalThis.WebSocket ??= WebSocket;
const location = pathToFileURL(join(needed("TROLLEYBUS_WWW"), "sdk", "index.js"));
const { EventBus } = await import(location);

const SECRET = "a secret of at least thirty-two bytes";
const OWN = [{ address: "user.${sub}.inbox" }];

let [running, guarded, folder] = [];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "trolleybus-secret-"));
  await writeFile(join(folder, "secret"), SECRET);
  const auth = { required: true, secret: SECRET, leeway_ms: 0, grace_ms: 1000 };
  const overflow = { messages: 4, bytes: 1048576, bytes_per_socket: 1048576 };
  [running, guarded] = await Promise.all([
    serve({ bridge: { ...OPEN, overflow } }),
    serve({ auth, bridge: { inbound_permitted: OWN, outbound_permitted: OWN } }),
  ]);
});
after(async () => {
  await Promise.all([running?.stop(), guarded?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

/** A token of `trolleybus token`. */
async function token(sub, expires) {
  const args = ["token", "--sub", sub, "--expires", expires, "--secret-file", join(folder, "secret")];
  const { code, out, err } = await run(needed("TROLLEYBUS_BIN"), args);
  assert.equal(code, 0, err);
  return out.trim();
}

function connect(t, { bridge } = running, transport = "websocket", options = {}) {
  const bus = new EventBus(bridge, { transports: [transport], ...options });
  t.after(() => bus.close());
  bus.closes = new Inbox("onclose");
  bus.onclose = (event) => bus.closes.push(event);
  return bus;
}

const settled = (bus) => assert.rejects(bus.request("nobody consumes this", null), { kind: "NO_HANDLERS" });

for (const transport of ["websocket", "xhr-streaming", "xhr-polling"]) {
  describe(`${transport}:`, () => {
    test("a token opens the rules that name its claims", async (t) => {
      const ada = await token("ada", "1h");
      const bus = connect(t, guarded, transport, { token: () => Promise.resolve(ada) });
      const inbox = new Inbox("the inbox");
      const own = bus.consumer("user.ada.inbox", ({ body }) => inbox.push(body));
      await within(own.completion, "no acknowledgement");
      bus.publish("user.ada.inbox", "hello");
      assert.equal(await inbox.next(), "hello");
      bus.onerror = () => {};
      const other = bus.consumer("user.bob.inbox", () => {});
      const refused = { kind: "REFUSED", word: "access_denied", failureCode: 110 };
      await assert.rejects(within(other.completion, "no refusal"), refused);
    });

    test("a pattern hears what it means, and says what it heard", async (t) => {
      const bus = connect(t, running, transport);
      const [root, heard] = [address("news"), new Inbox("heard")];
      const options = { pattern: true };
      const consumer = bus.consumer(`${root}.*`, (message) => heard.push(message), options);
      assert.equal(consumer.pattern, true);
      await within(consumer.completion, "no acknowledgement");
      bus.publish(`${root}.sport.late`, 0);
      bus.publish(`${root}.sport`, 1);
      const { address: to, pattern, body } = await heard.next();
      assert.deepEqual([to, pattern, body], [`${root}.sport`, `${root}.*`, 1]);
    });
  });
}

test("a token is renewed before it expires, and registrations stay", async (t) => {
  const asked = new Inbox("what was asked for");
  const fresh = async () => {
    const ada = await token("ada", "3s");
    asked.push(null);
    return ada;
  };
  const bus = connect(t, guarded, "websocket", { token: fresh });
  const inbox = new Inbox("the inbox");
  await bus.consumer("user.ada.inbox", ({ body }) => inbox.push(body)).completion;
  // The third comes when the first has expired.
  await asked.take(3);
  bus.publish("user.ada.inbox", "still here");
  assert.equal(await inbox.next(), "still here");
  assert.equal(bus.closes.waiting, 0);
});

/** What the bus reports besides is expected. */
const quiet = (bus) => Object.assign(bus, { onerror: () => {} });

test("an expired token is replaced by a fresh one", async (t) => {
  const tokens = [await token("ada", "1s"), await token("ada", "1h")];
  const expired = quiet(connect(t, guarded, "websocket", { token: tokens[0] }));
  // It expires on the connection, and is all that there is.
  await expired.closes.next();
  const bus = quiet(connect(t, guarded, "websocket", { token: () => tokens.shift() }));
  const own = bus.consumer("user.ada.inbox", () => {});
  const stands = (async () => {
    while (!(await own.completion.then(() => true, () => false))) await bus.closes.next();
    await settled(bus).catch(() => {});
  })();
  await within(stands, "no registration");
  assert.equal(tokens.length, 0);
});

test("a token that is none is the end, with 3003", async (t) => {
  let asked = 0;
  const nonsense = () => `nonsense ${(asked += 1)}`;
  const bus = quiet(connect(t, guarded, "websocket", { token: nonsense }));
  while (bus.status.name !== "closed") await bus.closes.next();
  assert.deepEqual([bus.status.code, bus.status.reason, asked], [3003, "Unauthorized", 2]);
});

test("a token that cannot be had is told as the reason", async (t) => {
  const failing = () => Promise.reject(new Error("the issuer sleeps"));
  const bus = connect(t, guarded, "websocket", { token: failing, reconnect: false });
  const { code, reason } = await bus.closes.next();
  assert.deepEqual([code, reason], [2000, "Error: the issuer sleeps"]);
});

test("completion of a server that does not know a pattern's wildcard is a refusal", async (t) => {
  const bus = connect(t);
  bus.onerror = () => {};
  const consumer = bus.consumer("a.b*", () => {}, { pattern: true });
  await assert.rejects(within(consumer.completion, "no refusal"), { word: "invalid_pattern" });
});

test("completion of what was unregistered before is CLOSED", async (t) => {
  const consumer = connect(t).consumer(address("gone"), () => {});
  consumer.unregister();
  await assert.rejects(consumer.completion, { kind: "CLOSED" });
});

test("drop_oldest keeps the connection and says how many went", async (t) => {
  const bus = connect(t);
  const [to, count] = [address("flood"), 200];
  const got = new Inbox("got");
  const options = { overflow: "drop_oldest" };
  const take = ({ body, dropped }) => got.push({ number: body.number, dropped });
  await bus.consumer(to, take, options).completion;
  const flood = fileURLToPath(new URL("../support-js/flood.mjs", import.meta.url));
  execFileSync(process.execPath, [flood, running.socket, to, count, 200_000]);
  let [received, dropped, last] = [0, 0, 0];
  while (last < count) {
    const next = await got.next();
    [received, dropped, last] = [received + 1, dropped + next.dropped, next.number];
  }
  assert.equal(received + dropped, count);
  assert(dropped > 0);
  assert.equal(bus.closes.waiting, 0);
});

test("by default a client that does not keep up is closed with 3001", async (t) => {
  const bus = connect(t);
  const to = address("flood");
  await bus.consumer(to, () => {}).completion;
  const flood = fileURLToPath(new URL("../support-js/flood.mjs", import.meta.url));
  execFileSync(process.execPath, [flood, running.socket, to, 200, 200_000]);
  assert.equal((await bus.closes.next()).code, 3001);
});

test("a paused consumer gets nothing, then as many as it fetches, then all", async (t) => {
  const bus = connect(t);
  const got = new Inbox("got");
  const consumer = bus.consumer(address("paused"), ({ body }) => got.push(body));
  await consumer.completion;
  consumer.pause();
  for (const body of [1, 2, 3, 4]) bus.publish(consumer.address, body);
  await settled(bus);
  assert.equal(got.waiting, 0);
  consumer.fetch(2);
  assert.deepEqual(await got.take(2), [1, 2]);
  await settled(bus);
  assert.equal(got.waiting, 0);
  consumer.resume();
  bus.publish(consumer.address, 5);
  assert.deepEqual(await got.take(3), [3, 4, 5]);
});

test("what a paused consumer has no room for is dropped, counted, and failed", async (t) => {
  const bus = connect(t);
  const consumer = bus.consumer(address("full"), undefined, { maxBuffered: 1 });
  await consumer.completion;
  consumer.pause();
  bus.publish(consumer.address, 1);
  await assert.rejects(bus.request(consumer.address, 2), { kind: "RECIPIENT_FAILURE" });
  assert.equal(consumer.dropped, 1);
  consumer.resume();
  for await (const { body } of consumer) {
    assert.equal(body, 1);
    break;
  }
});
