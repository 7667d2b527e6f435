// Envelopes that are refused, and what the client is told of it.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { TRANSPORTS, failure, listen, openBuses, openSockJS, settled } from "../support-js/clients.mjs";
import { serve } from "../support-js/server.mjs";

const LIMITS = { max_address_length: 20, max_handlers_per_socket: 3 };
const ALLOWED = [{ address: "open" }, { address_regex: "open\\..*" }];
const IN = [...ALLOWED, { address: "choosy", match: { kind: "tram" } }, { address: "staff", required_authority: "driver" }];

let running;
before(async () => {
  running = await serve({ bridge: { inbound_permitted: IN, outbound_permitted: ALLOWED, ...LIMITS } });
});
after(() => running?.stop());

const LONG = "r".repeat(37);
const EMOJI = "🚎".repeat(18);

const REFUSALS = [
  ["text that is not JSON", "tram", 100, "invalid_json"],
  ["JSON with something after it", '{"type":"ping"} 1', 100, "invalid_json"],
  ["an array of envelopes", '[{"type":"ping"}]', 100, "invalid_json"],
  ["a number", "1", 100, "invalid_json"],
  ["null", "null", 100, "invalid_json"],
  ["the empty text", "", 100, "invalid_json"],
  ["a comment", '{"type":"ping"/*!*/}', 100, "invalid_json"],
  ["no type", { address: "open" }, 101, "missing_type"],
  ["the type null", { type: null, address: "open" }, 101, "missing_type"],
  ["no address", { type: "send", body: 1 }, 102, "missing_address"],
  ["neither a known type nor an address", { type: "shout" }, 102, "missing_address"],
  ["an unknown type", { type: "shout", address: "open" }, 103, "invalid_type"],
  ["headers that are no object", { type: "publish", address: "open", headers: "x" }, 104, "invalid_headers"],
  ["a header that is null", { type: "publish", address: "open", headers: { x: null } }, 104, "invalid_headers"],
  ["a header with a line break", { type: "publish", address: "open", headers: { x: "a\r\nb" } }, 104, "invalid_headers"],
  ["a header without a name", { type: "publish", address: "open", headers: { "": "x" } }, 104, "invalid_headers"],
  ["a reply address of 37 units", { type: "send", address: "open", replyAddress: LONG }, 105, "invalid_reply_address"],
  ["a reply address of 19 emoji", { type: "send", address: "open", replyAddress: `${EMOJI}🚎` }, 105, "invalid_reply_address"],
  ["a publish with a long reply address", { type: "publish", address: "open", replyAddress: LONG }, 105, "invalid_reply_address"],
  ["a registration of 21 units", { type: "register", address: "open.90123456789012345" }, 106, "max_address_length_reached"],
  ["a send that no rule permits", { type: "send", address: "closed" }, 110, "access_denied"],
  ["a send to an address that only starts well", { type: "send", address: "opened" }, 110, "access_denied"],
  ["a registration that no rule permits", { type: "register", address: "closed" }, 110, "access_denied"],
  ["an unregistration that no rule permits", { type: "unregister", address: "closed" }, 110, "access_denied"],
  ["a body that the rule does not match", { type: "send", address: "choosy", body: { kind: "bus" } }, 110, "access_denied"],
  ["a failure for nobody's request", { type: "send", address: "open", failureCode: 1, message: "x" }, 110, "access_denied"],
  ["an address for which one must be logged in", { type: "send", address: "staff" }, 111, "not_logged_in"],
];

describe("refused is", () => {
  for (const [name, envelope, failureCode, word] of REFUSALS) {
    test(`${name}: ${word}`, async (t) => {
      const wire = await openSockJS(t, running.bridge);
      const { type, body, failureCode: code, failureType, message, address } = await wire.ask(envelope);
      assert.deepEqual([type, body, code, failureType], ["err", word, failureCode, "ERROR"]);
      assert.equal(typeof message, "string");
      assert.equal(address, undefined);
      assert.equal((await wire.ask({ type: "send", address: "open", replyAddress: "r" })).failureType, "NO_HANDLERS");
    });
  }

  test("a second registration for an address on one socket: address_already_registered", async (t) => {
    const wire = await openSockJS(t, running.bridge);
    wire.send({ type: "register", address: "open" });
    const refusal = await wire.ask({ type: "register", address: "open" });
    assert.deepEqual([refusal.failureCode, refusal.body], [107, "address_already_registered"]);
    const message = await wire.ask({ type: "publish", address: "open", body: 1 });
    assert.deepEqual(message, { type: "rec", address: "open", body: 1 });
  });

  test("one registration too many, until one is given up: max_handlers_reached", async (t) => {
    const wire = await openSockJS(t, running.bridge);
    for (const name of ["open.1", "open.2", "open.3"]) wire.send({ type: "register", address: name });
    const refusal = await wire.ask({ type: "register", address: "open.4" });
    assert.deepEqual([refusal.failureCode, refusal.body], [120, "max_handlers_reached"]);
    wire.send({ type: "unregister", address: "open.1" });
    wire.send({ type: "register", address: "open.4" });
    assert.equal((await wire.ask({ type: "publish", address: "open.4", body: 4 })).body, 4);
  });

  test("one request too many, until one is answered: max_handlers_reached", async (t) => {
    const wire = await openSockJS(t, running.bridge);
    const service = await openSockJS(t, running.bridge);
    service.send({ type: "register", address: "open.service" });
    assert.equal((await service.ask({ type: "send", address: "open.service", body: 0 })).body, 0);
    const ask = (replyAddress) => wire.send({ type: "send", address: "open.service", replyAddress });
    for (const name of ["r1", "r2", "r3", "r4"]) ask(name);
    const refusal = await wire.next();
    assert.deepEqual([refusal.failureCode, refusal.body, refusal.address], [120, "max_handlers_reached", "r4"]);
    service.send({ type: "send", address: (await service.next()).replyAddress, body: 1 });
    assert.deepEqual(await wire.next(), { type: "rec", address: "r1", body: 1 });
  });
});

describe("not refused is", () => {
  test("a reply address of 36 units, which is that of its answer", async (t) => {
    const wire = await openSockJS(t, running.bridge);
    const answer = await wire.ask({ type: "send", address: "open", replyAddress: EMOJI });
    assert.deepEqual([answer.address, answer.failureType], [EMOJI, "NO_HANDLERS"]);
  });

  test("a body that has what the rule wants, and more", async (t) => {
    const wire = await openSockJS(t, running.bridge);
    const body = { kind: "tram", number: 5 };
    const answer = await wire.ask({ type: "send", address: "choosy", replyAddress: "r", body });
    assert.equal(answer.failureType, "NO_HANDLERS");
  });

  test("an unregistration of what is not registered", async (t) => {
    const wire = await openSockJS(t, running.bridge);
    wire.send({ type: "unregister", address: "open" });
    assert.equal((await wire.ask({ type: "send", address: "open", replyAddress: "r" })).address, "r");
  });

  test("a registration of 20 units, after one of 21 was", async (t) => {
    const wire = await openSockJS(t, running.bridge);
    const longest = "open.901234567890123";
    await wire.ask({ type: "register", address: `${longest}4` });
    assert.equal(longest.length, 20);
    wire.send({ type: "register", address: longest });
    assert.equal((await wire.ask({ type: "publish", address: longest, body: 1 })).address, longest);
  });
});

for (const transport of TRANSPORTS) {
  describe(`the Vert.x client over ${transport}:`, () => {
    test("a request that is not permitted fails through its callback", async (t) => {
      const [bus] = await openBuses(t, running.bridge, transport);
      const { failureCode, failureType } = await failure(bus, "closed");
      assert.deepEqual([failureCode, failureType], [110, "ERROR"]);
      assert.equal(bus.errors.waiting, 0);
    });

    test("a publish and a registration that are not permitted reach onerror", async (t) => {
      const [bus] = await openBuses(t, running.bridge, transport);
      bus.publish("closed", 1);
      assert.equal((await bus.errors.next()).body, "access_denied");
      bus.registerHandler("closed", () => assert.fail("nothing may arrive"));
      assert.equal((await bus.errors.next()).body, "access_denied");
    });

    test("what is published where rules forbid it reaches nobody", async (t) => {
      const [one, two] = await openBuses(t, running.bridge, transport, transport);
      const inbox = await listen(one, "open");
      two.publish("opened", 1);
      two.publish("open", 2);
      assert.equal((await inbox.next()).body, 2);
      await settled(one);
      assert.equal(inbox.waiting, 0);
    });
  });
}
