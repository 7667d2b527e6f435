// The modern face of the npm package in Node: connecting, signals, states, events, full outboxes, the end.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { WebSocket } from "ws";
import { address } from "../support-js/clients.mjs";
import { needed } from "../support-js/needs.mjs";
import { run } from "../support-js/process.mjs";
import { demo, freePort } from "../support-js/server.mjs";
import { Inbox, within } from "../support-js/waiting.mjs";

// Node has no WebSocket of its own before version 22.
globalThis.WebSocket ??= WebSocket;
const location = pathToFileURL(join(needed("TROLLEYBUS_WWW"), "sdk", "index.js"));
const { BusError, EventBus, connect } = await import(location);

let running, nowhere;
before(async () => {
  running = await demo("--open-bridge");
  nowhere = `http://127.0.0.1:${await freePort()}/eventbus`;
});
after(() => running?.stop());

/** A bus of its own, closed when the test ends. */
const made = (t, url = running.bridge, options = {}) => {
  const bus = new EventBus(url, options);
  bus.onerror = () => {};
  t.after(() => bus.close());
  return bus;
};
const opened = async (t, options) => {
  const bus = await within(connect(running.bridge, options), "no connection");
  t.after(() => bus.close());
  return bus;
};
const settled = (bus) => assert.rejects(bus.request("nobody consumes this"), { kind: "NO_HANDLERS" });

/** A signal, what fires it, and a count of those who listen. */
const aborter = () => {
  const [controller, reason] = [new AbortController(), new Error("enough")];
  const { signal } = controller;
  const listeners = () => getEventListeners(signal, "abort").length;
  return { signal, reason, abort: () => controller.abort(reason), listeners };
};

/** A consumer of another client, who is silent. */
const silent = async (t) => {
  const [bus, inbox] = [await opened(t), new Inbox("the requests")];
  const { address: to, completion } = bus.consumer(address("silent"), (message) => inbox.push(message));
  await completion;
  return { to, inbox };
};

describe("connect:", () => {
  test("resolves to an open bus", async (t) => {
    const bus = await opened(t, { transports: "websocket" });
    assert.deepEqual(bus.status, { name: "open", transport: "websocket" });
    assert.equal((await bus.request("echo", { a: 1 })).body.a, 1);
  });

  test("rejects with CLOSED when the bus is closed for good", async () => {
    const connecting = connect(nowhere, { reconnect: false });
    await assert.rejects(within(connecting, "no end"), (error) => error instanceof BusError && error.kind === "CLOSED");
    await assert.rejects(connect("ftp://nowhere/"), { kind: "CLOSED" });
  });

  test("rejects with the signal's reason, and leaves no listener", async () => {
    const { signal, reason, abort, listeners } = aborter();
    const connecting = connect(nowhere, { signal });
    abort();
    await assert.rejects(within(connecting, "no end"), reason);
    assert.equal(listeners(), 0);
    await assert.rejects(connect(running.bridge, { signal }), reason);
  });
});

describe("signals:", () => {
  test("a request under way rejects with the reason at once", async (t) => {
    const [bus, { to, inbox }] = [await opened(t), await silent(t)];
    const { signal, reason, abort, listeners } = aborter();
    const asked = bus.request(to, 1, { signal });
    await inbox.next();
    abort();
    await assert.rejects(asked, reason);
    assert.equal(listeners(), 0);
    // A reply that is late reaches nobody.
    await settled(bus);
  });

  test("a request that has not left is taken back", async (t) => {
    const { to, inbox } = await silent(t);
    const bus = made(t);
    const { signal, reason, abort } = aborter();
    const asked = bus.request(to, "never", { signal });
    abort();
    await assert.rejects(asked, reason);
    bus.send(to, "later");
    assert.equal((await inbox.next()).body, "later");
  });

  test("a request that is answered leaves no listener", async (t) => {
    const bus = await opened(t);
    const { signal, listeners } = aborter();
    await bus.request("echo", 1, { signal });
    assert.equal(listeners(), 0);
  });

  test("a signal that has fired sends nothing", async (t) => {
    const [bus, { to, inbox }] = [await opened(t), await silent(t)];
    const { signal, reason, abort } = aborter();
    abort();
    await assert.rejects(bus.request(to, 1, { signal }), reason);
    await settled(bus);
    assert.equal(inbox.waiting, 0);
  });

  test("an iteration rejects with the reason, and the registration ends", async (t) => {
    const bus = await opened(t);
    const { signal, reason, abort, listeners } = aborter();
    const consumer = bus.consumer(address("aborted"), { signal });
    await consumer.completion;
    await bus.publish(consumer.address, 1);
    const bodies = [];
    const reading = (async () => {
      for await (const { body } of consumer) {
        bodies.push(body);
        setTimeout(abort);
      }
    })();
    await assert.rejects(within(reading, "no end"), reason);
    assert.deepEqual([bodies, listeners()], [[1], 0]);
    await assert.rejects(bus.request(consumer.address), { kind: "NO_HANDLERS" });
  });

  test("completion of what a signal ended is its reason", async (t) => {
    const { signal, reason, abort } = aborter();
    const consumer = made(t).consumer(address("aborted"), () => {}, { signal });
    abort();
    await assert.rejects(consumer.completion, reason);
  });

  test("opened and states reject with the reason", async (t) => {
    const bus = made(t, nowhere);
    const { signal, reason, abort, listeners } = aborter();
    const waiting = [bus.opened({ signal }), (async () => { for await (const _ of bus.states({ signal })); })()];
    setTimeout(abort);
    for (const one of waiting) await assert.rejects(within(one, "no end"), reason);
    assert.equal(listeners(), 0);
  });
});

describe("states:", () => {
  test("begin with the present one and end with closed", async (t) => {
    const bus = await opened(t);
    const names = [];
    for await (const { name } of bus.states()) {
      names.push(name);
      if (name === "open") bus.close();
    }
    assert.deepEqual(names, ["open", "closed"]);
  });

  test("come as events and to on… properties", async (t) => {
    const bus = made(t);
    const seen = new Inbox("states");
    bus.onstate = ({ name }) => seen.push(`on ${name}`);
    bus.addEventListener("state", ({ type, detail }) => seen.push(`${type} ${detail.name}`));
    bus.addEventListener("open", ({ detail }) => seen.push(`open ${detail.transport}`));
    assert.deepEqual(await seen.take(3), ["on open", "state open", "open websocket"]);
    bus.addEventListener("close", ({ detail }) => seen.push(detail));
    bus.close();
    const closed = { code: 1000, reason: "closed by the application", wasClean: true };
    assert.deepEqual(await seen.take(3), ["on closed", "state closed", closed]);
  });

  test("an error that belongs to no promise is an event", async (t) => {
    const bus = await opened(t);
    const errors = new Inbox("errors");
    bus.addEventListener("error", ({ detail }) => errors.push(detail));
    bus.consumer("a.b*", () => {}, { pattern: true });
    const error = await errors.next();
    assert(error instanceof BusError);
    assert.deepEqual([error.kind, error.word], ["REFUSED", "invalid_pattern"]);
  });
});

describe("errors that nobody listens to go to the console", () => {
  const stops = new AbortController();
  const listener = () => {};
  const object = { handleEvent: listener };
  for (const [what, use] of [
    ["from the beginning", () => {}],
    ["once listeners are removed", (bus) => {
      for (const one of [listener, object]) bus.addEventListener("error", one);
      bus.addEventListener("error", listener);
      for (const one of [listener, object]) bus.removeEventListener("error", one);
    }],
    ["when others are listened to", (bus) => bus.addEventListener("state", listener)],
    ["when the signal of a listener has fired", (bus) => {
      bus.addEventListener("error", listener, { signal: stops.signal });
      stops.abort();
    }],
  ])
    test(what, async (t) => {
      const bus = await opened(t);
      use(bus);
      const told = t.mock.method(console, "error", () => {});
      await assert.rejects(bus.consumer("a.b*", () => {}, { pattern: true }).completion, { kind: "REFUSED" });
      await settled(bus);
      assert.deepEqual(told.mock.calls.map((call) => call.arguments[0].kind), ["REFUSED"]);
    });

  test("and only those that came too late for a listener of one event", async (t) => {
    const bus = await opened(t);
    const [told, heard] = [t.mock.method(console, "error", () => {}), []];
    const object = { handleEvent({ detail }) { heard.push([this === object, detail.kind]); } };
    bus.addEventListener("error", object, { once: true });
    bus.addEventListener("error", function () { heard.push(this === bus); }, { once: true });
    for (let round = 0; round < 2; round += 1) {
      await assert.rejects(bus.consumer("a.b*", () => {}, { pattern: true }).completion, { kind: "REFUSED" });
      await settled(bus);
      assert.deepEqual([heard, told.mock.callCount()], [[[true, "REFUSED"], true], round]);
    }
  });
});

describe("sending:", () => {
  test("resolves when the outbox has it, by the same promise each time", async (t) => {
    const bus = await opened(t);
    const promises = [bus.publish("a", 1), bus.send("b", 2)];
    assert.equal(promises[0], promises[1]);
    assert.equal(await promises[0], undefined);
  });

  test("what is no body is refused as BODY", async (t) => {
    const bus = await opened(t);
    const cycle = {};
    cycle.self = cycle;
    for (const body of [1n, cycle])
      for (const sent of [bus.publish("a", body), bus.request("a", body)]) await assert.rejects(sent, { kind: "BODY" });
  });

  test("a failure that nobody awaits is an unhandled rejection", async () => {
    const program = `import { EventBus } from "${location}"; new EventBus("${nowhere}").publish("a", 1n);`;
    const { code, err } = await run(process.execPath, ["--input-type=module", "-e", program]);
    assert.equal(code, 1);
    assert.match(err, /kind: 'BODY'/);
  });

  test("a reply after the connection went is CLOSED, and bothers nobody who does not look", async (t) => {
    const [bus, other] = [await opened(t), await opened(t)];
    const inbox = new Inbox("the requests");
    const { address: to, completion } = bus.consumer(address("late"), (message) => inbox.push(message));
    await completion;
    const asked = assert.rejects(other.request(to), BusError);
    const message = await inbox.next();
    const again = new Promise((resolve) => (bus.onopen = resolve));
    bus.reconnect();
    await within(again, "no reconnect");
    message.reply(1);
    message.fail(1);
    await assert.rejects(message.reply(2), { kind: "CLOSED" });
    other.close();
    await asked;
  });

  test("a full outbox rejects with OVERFLOW", async (t) => {
    const bus = made(t, nowhere, { outboxLimit: 2 });
    // The module is there from now on.
    await bus.states().next();
    await new Promise((resolve) => (bus.onclose = resolve));
    await Promise.all([bus.publish("a", 1), bus.publish("a", 2)]);
    await assert.rejects(bus.publish("a", 3), { kind: "OVERFLOW" });
    await assert.rejects(bus.request("a", 3), { kind: "OVERFLOW" });
  });

  test("drop_oldest lets the oldest make way, and fails requests among them", async (t) => {
    const bus = made(t, nowhere, { outboxLimit: 2, outboxPolicy: "drop_oldest" });
    const errors = new Inbox("errors");
    bus.onerror = (error) => errors.push(error);
    await new Promise((resolve) => (bus.onclose = resolve));
    const asked = bus.request("a", 1);
    for (const body of [2, 3, 4]) await bus.publish("a", body);
    await assert.rejects(asked, { kind: "OVERFLOW" });
    assert.equal((await errors.next()).kind, "OVERFLOW");
  });

  test("wait holds what finds no room, in order, until there is some", async (t) => {
    const { to, inbox } = await silent(t);
    const bus = made(t, running.bridge, { outboxLimit: 2, outboxPolicy: "wait" });
    const sent = [];
    for (let number = 0; number < 100; number += 1) sent.push(bus.send(to, number));
    await within(Promise.all(sent), "no room");
    assert.deepEqual((await inbox.take(100)).map(({ body }) => body), [...Array(100).keys()]);
  });

  test("what waits for room is told when the bus is closed", async (t) => {
    const bus = made(t, nowhere, { outboxLimit: 1, outboxPolicy: "wait" });
    await new Promise((resolve) => (bus.onclose = resolve));
    await bus.publish("a", 1);
    const waiting = [bus.publish("a", 2), bus.request("a", 3)];
    bus.close();
    for (const one of waiting) await assert.rejects(within(one, "no end"), { kind: "CLOSED" });
  });
});

describe("the end:", () => {
  test("close resolves when the bus is closed, and does so again", async (t) => {
    const bus = await opened(t);
    await bus.close();
    assert.equal(bus.status.name, "closed");
    await bus.close();
  });

  test("close before the module is loaded settles everything", async () => {
    const bus = new EventBus(running.bridge);
    const [asked, consumer] = [bus.request("echo", 1), bus.consumer(address("early"))];
    const all = Promise.allSettled([asked, consumer.completion, bus.opened()]);
    await within(bus.close(), "no end");
    const kinds = (await within(all, "something hangs")).map(({ reason }) => reason?.kind);
    assert.deepEqual(kinds, ["CLOSED", "CLOSED", "CLOSED"]);
    for await (const message of consumer) assert.fail(`got ${message.body}`);
  });

  test("several consumers of an address have a body each", async (t) => {
    const bus = await opened(t);
    const [to, bodies] = [address("shared"), new Inbox("bodies")];
    for (let number = 0; number < 2; number += 1) await bus.consumer(to, ({ body }) => bodies.push(body)).completion;
    bus.publish(to, { a: 1 });
    const [one, two] = await bodies.take(2);
    one.a = 2;
    assert.equal(two.a, 1);
  });

  if (Symbol.asyncDispose)
    test("a bus and a consumer are disposable", async (t) => {
      const bus = await opened(t);
      const consumer = bus.consumer(address("disposed"), () => {});
      await consumer.completion;
      consumer[Symbol.dispose]();
      await assert.rejects(bus.request(consumer.address), { kind: "NO_HANDLERS" });
      await bus[Symbol.asyncDispose]();
      assert.equal(bus.status.name, "closed");
    });
});
