// The published Vert.x client under Node, over each transport that it has there.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { TRANSPORTS, address, failure, listen, openBuses, request, settled } from "../support-js/clients.mjs";
import { demo, serve } from "../support-js/server.mjs";

const SERVERS = { serve: () => serve(), "demo --open-bridge": () => demo("--open-bridge") };

const BODIES = [
  null, true, false, 0, -1.5, 1e21, Number.MAX_SAFE_INTEGER, "", "tram", "Grüße, Łódź 電車 🚎\u2028\u0000\ufeff",
  "100%25 </script>\r\n", [], [1, [2, [null]]], {}, { "🚎": { "": [true] } },
];

for (const [server, start] of Object.entries(SERVERS)) {
  describe(`${server}:`, () => {
    let running;
    before(async () => (running = await start()));
    after(() => running?.stop());
    for (const transport of TRANSPORTS) facts(transport, () => running.bridge);
  });
}

function facts(transport, bridge) {
  test(`${transport}: the client uses the transport it was told to`, async (t) => {
    const [bus] = await openBuses(t, bridge(), transport);
    assert.equal(bus.sockJSConn.transport, transport);
  });

  test(`${transport}: publish reaches all who registered, sender included`, async (t) => {
    const [one, two] = await openBuses(t, bridge(), transport, transport);
    const news = address("news");
    const inboxes = [await listen(one, news), await listen(two, news)];
    one.publish(news, { stop: "market" });
    for (const inbox of inboxes) {
      const message = await inbox.next();
      assert.deepEqual({ ...message }, { type: "rec", address: news, body: { stop: "market" } });
    }
  });

  test(`${transport}: send reaches those who registered in turn`, async (t) => {
    const [one, two] = await openBuses(t, bridge(), transport, transport);
    const work = address("work");
    const inboxes = [await listen(one, work), await listen(two, work)];
    for (let number = 0; number < 10; number += 1) one.send(work, number);
    const taken = await Promise.all(inboxes.map((inbox) => inbox.take(5)));
    const numbers = taken.flat().map((message) => message.body);
    assert.deepEqual(numbers.sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test(`${transport}: a request is answered, and so is the reply, as often as they like`, async (t) => {
    const [asking, serving] = await openBuses(t, bridge(), transport, transport);
    const service = address("service");
    const inbox = await listen(serving, service);
    const answer = request(asking, service, "may I?");
    const question = await inbox.next();
    assert.equal(question.body, "may I?");
    const second = new Promise((resolve) => question.reply("who?", {}, (_, reply) => resolve(reply)));
    const first = await answer;
    assert.equal(first.body, "who?");
    const third = new Promise((resolve) => first.reply("me", {}, (_, reply) => resolve(reply)));
    const reply = await second;
    assert.equal(reply.body, "me");
    reply.reply("you may");
    const last = await third;
    assert.equal(last.body, "you may");
    assert.equal(last.replyAddress, undefined);
  });

  test(`${transport}: a request to nobody fails at once`, async (t) => {
    const [bus] = await openBuses(t, bridge(), transport);
    const { failureCode, failureType, message } = await failure(bus, address("nobody"));
    assert.deepEqual([failureCode, failureType, typeof message], [-1, "NO_HANDLERS", "string"]);
  });

  test(`${transport}: nothing is delivered after unregister`, async (t) => {
    const [one, two] = await openBuses(t, bridge(), transport, transport);
    const [news, fence] = [address("news"), address("fence")];
    const inbox = await listen(one, news);
    const fences = await listen(one, fence);
    two.publish(news, 1);
    assert.equal((await inbox.next()).body, 1);
    one.unregisterHandler(news, inbox.handler);
    await settled(one);
    two.publish(news, 2);
    two.publish(fence, 3);
    assert.equal((await fences.next()).body, 3);
    assert.equal(inbox.waiting, 0);
  });

  test(`${transport}: bodies of all kinds and headers come as they went, both ways`, async (t) => {
    const [asking, serving] = await openBuses(t, bridge(), transport, transport);
    const mirror = address("mirror");
    serving.registerHandler(mirror, (_, { body, headers, reply }) => reply(body, headers));
    await settled(serving);
    const headers = { line: "12", "x-Ünïcode": "straße 🚎", empty: "" };
    const replies = await Promise.all(BODIES.map((body) => request(asking, mirror, body, headers)));
    assert.deepEqual(replies.map((reply) => reply.body), BODIES);
    for (const reply of replies) assert.deepEqual(reply.headers, headers);
  });

  test(`${transport}: 1000 messages arrive once each and in order`, async (t) => {
    const [from, to] = await openBuses(t, bridge(), transport, transport);
    const inbox = await listen(to, address("many"));
    const numbers = Array.from({ length: 1000 }, (_, number) => number);
    for (const number of numbers) from.publish(inbox.name, number);
    const taken = await inbox.take(1000);
    assert.deepEqual(taken.map((message) => message.body), numbers);
    assert.equal(inbox.waiting, 0);
  });
}
