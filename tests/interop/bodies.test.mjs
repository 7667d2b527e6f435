// Bodies and headers as text: what arrives is what was written, to the last digit.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { TRANSPORTS, address, openRaw, openSockJS } from "../support-js/clients.mjs";
import { serve } from "../support-js/server.mjs";

let running;
before(async () => (running = await serve()));
after(() => running?.stop());

const BODIES = [
  "null", "true", "0", "-0", "1.10", "1e400", "-1E-400", "123456789012345678901234567890", "9007199254740993",
  "0.1000000000000000055511151231257827", '"\\u0000\\ud83d\\ude8e/\\/"', '"🚎 straße \u2028\ufffe"',
  '{"z":1,"a":2,"z":3}', "[1.0,[2e0,{}]]",
  `${"[".repeat(126)}1.0${"]".repeat(126)}`,
];

async function registered(wire) {
  const to = address("bodies");
  wire.send({ type: "register", address: to });
  await wire.settled();
  return to;
}

for (const transport of TRANSPORTS) {
  test(`${transport}: every digit, escape and field of a body arrives as written`, async (t) => {
    const wire = await openSockJS(t, running.bridge, [transport]);
    const to = await registered(wire);
    for (const body of BODIES) {
      wire.send(`{"type":"publish","address":"${to}","body":${body}}`);
      assert.equal(await wire.frames.next(), `{"type":"rec","address":"${to}","body":${body}}`);
    }
  });

  test(`${transport}: a text of 200,000 characters arrives whole`, async (t) => {
    const wire = await openSockJS(t, running.bridge, [transport]);
    const to = await registered(wire);
    const body = "🚎%\u2028<".repeat(40_000);
    const message = await wire.ask({ type: "publish", address: to, body: body.slice(0, 60_000) });
    assert.ok(message.body === body.slice(0, 60_000));
    assert.ok((await wire.ask({ type: "publish", address: to, body: "x".repeat(200_000) })).body.length === 200_000);
  });
}

test("half a surrogate pair arrives as U+FFFD", async (t) => {
  const wire = await openSockJS(t, running.bridge, ["xhr-polling"]);
  const to = await registered(wire);
  const message = await wire.ask(`{"type":"publish","address":"${to}","body":"a\ud83db"}`);
  assert.equal(message.body, "a\ufffdb");
});

test("an absent body arrives as null", async (t) => {
  const wire = await openRaw(t, running.socket);
  const to = await registered(wire);
  assert.deepEqual(await wire.ask({ type: "send", address: to }), { type: "rec", address: to, body: null });
});

test("a body nested too deep is no JSON to the server", async (t) => {
  const wire = await openRaw(t, running.socket);
  const body = `${"[".repeat(129)}${"]".repeat(129)}`;
  assert.equal((await wire.ask(`{"type":"publish","address":"a","body":${body}}`)).body, "invalid_json");
});

describe("headers:", () => {
  const exchange = async (t, headers) => {
    const wire = await openRaw(t, running.socket);
    const to = await registered(wire);
    return (await wire.ask(`{"type":"publish","address":"${to}","headers":${headers}}`)).headers;
  };

  test("several values of one name arrive as an array, in their order", async (t) => {
    assert.deepEqual(await exchange(t, '{"Line":"12","x":"y","line":"7"}'), { Line: ["12", "7"], x: "y" });
  });

  test("a value that is no string arrives as its JSON text", async (t) => {
    const headers = '{"array":["a","b"],"number":1.10,"flag":true,"object":{"a":[]}}';
    const texts = { array: '["a","b"]', number: "1.10", flag: "true", object: '{"a":[]}' };
    assert.deepEqual(await exchange(t, headers), texts);
  });

  test("an envelope without headers arrives without", async (t) => {
    assert.equal(await exchange(t, "{}"), undefined);
  });
});

describe("fields:", () => {
  test("numbers and booleans as address count as their text", async (t) => {
    const wire = await openRaw(t, running.socket);
    wire.send('{"type":"register","address":17}');
    assert.equal((await wire.ask('{"type":"publish","address":"17","body":1}')).address, "17");
    const answer = await wire.ask('{"type":"send","address":false,"replyAddress":4.50}');
    assert.deepEqual([answer.address, answer.failureType], ["4.50", "NO_HANDLERS"]);
  });

  test("of two fields of one name the last counts, and unknown ones are passed over", async (t) => {
    const wire = await openRaw(t, running.socket);
    const to = await registered(wire);
    const message = await wire.ask(`{"type":"x","type":"send","body":1,"address":"${to}","colour":{"a":1},"body":2}`);
    assert.deepEqual(message, { type: "rec", address: to, body: 2 });
  });
});
