// Requests that fail, and who is told: the published Vert.x client as the one who asks.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { TRANSPORTS, address, failure, openBuses, openRaw, request } from "../support-js/clients.mjs";
import { OPEN, serve } from "../support-js/server.mjs";

const REPLY_TIMEOUT = 400;

let running;
before(async () => {
  running = await serve({ bridge: { ...OPEN, reply_timeout_ms: REPLY_TIMEOUT } });
});
after(() => running?.stop());

/** A raw socket that has registered for an address of its own. */
async function openService(t) {
  const service = await openRaw(t, running.socket);
  service.address = address("service");
  service.send({ type: "register", address: service.address });
  await service.settled();
  return service;
}

for (const transport of TRANSPORTS) {
  describe(`${transport}:`, () => {
    test("the recipient's failure arrives with its code and message", async (t) => {
      const service = await openService(t);
      const [bus] = await openBuses(t, running.bridge, transport);
      const failed = failure(bus, service.address, "any seats?");
      const { replyAddress, body } = await service.next();
      assert.equal(body, "any seats?");
      service.send({ type: "send", address: replyAddress, failureCode: 4711, message: "full, sörry 🚎" });
      const expected = { failureCode: 4711, failureType: "RECIPIENT_FAILURE", message: "full, sörry 🚎" };
      assert.deepEqual(await failed, expected);
    });

    test("a request that nobody answers fails with TIMEOUT after the reply timeout", async (t) => {
      const service = await openService(t);
      const [bus] = await openBuses(t, running.bridge, transport);
      const start = performance.now();
      const { failureCode, failureType, message } = await failure(bus, service.address);
      assert.deepEqual([failureCode, failureType], [-1, "TIMEOUT"]);
      assert.match(message, new RegExp(service.address));
      assert.ok(performance.now() - start >= REPLY_TIMEOUT - 1);
    });
  });
}

test("a code that does not fit 32 bits fails nobody's request with a wrong code", async (t) => {
  const service = await openService(t);
  const [bus] = await openBuses(t, running.bridge, "websocket");
  const failed = failure(bus, service.address);
  const { replyAddress } = await service.next();
  service.send({ type: "send", address: replyAddress, failureCode: -2147483648, message: "lowest" });
  assert.equal((await failed).failureCode, -2147483648);
});

test("only the first answer to a request counts", async (t) => {
  const service = await openService(t);
  const [bus] = await openBuses(t, running.bridge, "websocket");
  const answer = request(bus, service.address, "?");
  const { replyAddress } = await service.next();
  service.send({ type: "send", address: replyAddress, body: 1 });
  assert.equal((await answer).body, 1);
  service.send({ type: "send", address: replyAddress, failureCode: 2, message: "too late" });
  assert.equal((await service.next()).body, "access_denied");
});

test("a reply address is good for the asked socket only", async (t) => {
  const service = await openService(t);
  const stranger = await openRaw(t, running.socket);
  const [bus] = await openBuses(t, running.bridge, "websocket");
  const answer = request(bus, service.address, "?");
  const { replyAddress } = await service.next();
  stranger.send({ type: "send", address: replyAddress, body: "forged" });
  stranger.send({ type: "send", address: replyAddress, failureCode: 1, message: "forged" });
  assert.equal((await stranger.next()).body, "access_denied");
  service.send({ type: "send", address: replyAddress, body: "genuine" });
  assert.equal((await answer).body, "genuine");
});

test("the asker is told at once when the asked socket closes", async (t) => {
  const other = await serve();
  t.after(() => other.stop());
  const service = await openRaw(t, other.socket);
  const to = address("service");
  service.send({ type: "register", address: to });
  await service.settled();
  const [bus] = await openBuses(t, other.bridge, "websocket");
  const start = performance.now();
  const failed = failure(bus, to);
  await service.next();
  service.socket.close();
  assert.equal((await failed).failureType, "TIMEOUT");
  assert.ok(performance.now() - start < 5_000, "far sooner than the 30 s of the reply timeout");
});

test("a request may set a shorter timeout, but no longer one", async (t) => {
  const service = await openService(t);
  const client = await openRaw(t, running.socket);
  const ask = async (timeout) => {
    const start = performance.now();
    const answer = await client.ask({ type: "send", address: service.address, replyAddress: "r", timeout });
    assert.deepEqual([answer.address, answer.failureType], ["r", "TIMEOUT"]);
    return performance.now() - start;
  };
  assert.ok((await ask(20)) < REPLY_TIMEOUT);
  const longest = await ask(4_294_967_295);
  assert.ok(longest >= REPLY_TIMEOUT - 1 && longest < 10 * REPLY_TIMEOUT, `${longest} ms`);
});
