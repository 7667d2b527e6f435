// The bridge over TCP, with `vertx3-tcp-eventbus-client`, which others wrote against Vert.x.
//
// Its ways, which the tests go around: an error without an address goes to `onerror`; `reply` of a
// message answers the last one of the same packet; `close` calls what a socket does not have, so
// that the connection is ended by its `transport`.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import TcpEventBus from "vertx3-tcp-eventbus-client/lib/tcp-vertx-eventbus.js";
import { address, openBuses, request as requestOverSockJs } from "../support-js/clients.mjs";
import { serve } from "../support-js/server.mjs";
import { Inbox, within } from "../support-js/waiting.mjs";

let running, port;
before(async () => {
  running = await serve({ "gateway.tcp": { listen: "127.0.0.1:0" } });
  [, port] = await running.program.line(/^TCP bridge on .*:(\d+)$/);
});
after(() => running?.stop());

/** A client that is open, and ended with the test; its errors are in an inbox. */
async function open(t) {
  const bus = new TcpEventBus("127.0.0.1", Number(port));
  bus.errors = new Inbox("the errors of a client");
  bus.onerror = (error) => bus.errors.push(error);
  t.after(() => bus.transport.destroy());
  await within(new Promise((resolve) => (bus.onopen = resolve)), "the client opens");
  return bus;
}

function inboxOf(bus, to) {
  const inbox = new Inbox(to);
  bus.registerHandler(to, (error, message) => inbox.push(error ?? message));
  return inbox;
}

function request(bus, to, body, headers = {}) {
  const answer = new Promise((resolve, reject) =>
    bus.send(to, body, headers, (error, reply) => (error ? reject(error) : resolve(reply))),
  );
  return within(answer, `a reply from ${to}`);
}

/** What the client sent before has been dealt with: the server answers in order. */
const settled = (bus) => assert.rejects(request(bus, address("nobody"), null), { failureType: "NO_HANDLERS" });

test("messages of one client reach another, with bodies and headers", async (t) => {
  const [one, two] = [await open(t), await open(t)];
  const to = address("tcp");
  const inbox = inboxOf(two, to);
  await settled(two);
  one.publish(to, { n: 1, text: "🚎" }, { colour: "red" });
  const published = await inbox.next();
  assert.deepEqual(published, { type: "message", address: to, headers: { colour: "red" }, body: { n: 1, text: "🚎" }, send: false });
  one.send(to, "text");
  const sent = await inbox.next();
  assert.deepEqual([sent.body, sent.send, sent.headers], ["text", true, {}]);
});

test("requests are answered by another client", async (t) => {
  const [asking, answering] = [await open(t), await open(t)];
  const to = address("tcp");
  answering.registerHandler(to, (_, message) => message.reply({ echo: message.body }));
  await settled(answering);
  assert.deepEqual((await request(asking, to, [1, 2])).body, { echo: [1, 2] });
});

test("failures come to the callback, with code, type and message", async (t) => {
  const bus = await open(t);
  const to = address("nobody");
  await assert.rejects(request(bus, to, 1), { failureCode: -1, failureType: "NO_HANDLERS", message: `No handlers for address ${to}` });
  const silent = address("silent");
  inboxOf(bus, silent);
  await assert.rejects(request(bus, silent, 1, { timeout: 100 }), { failureCode: -1, failureType: "TIMEOUT" });
});

test("nothing comes after unregisterHandler", async (t) => {
  const bus = await open(t);
  const to = address("tcp");
  const handler = () => assert.fail("it came");
  bus.registerHandler(to, handler);
  bus.unregisterHandler(to, handler);
  await assert.rejects(request(bus, to, 1), { failureType: "NO_HANDLERS" });
});

test("a refusal without a place to go is an error of the client, and the stream goes on", async (t) => {
  const bus = await open(t);
  bus.send(undefined, 1);
  const error = await bus.errors.next();
  assert.deepEqual([error.type, error.message], ["err", "missing_address"]);
  await settled(bus);
});

test("clients over TCP and over SockJS share the bus", async (t) => {
  const tcp = await open(t);
  const [sockjs] = await openBuses(t, running.bridge, "websocket");
  const to = address("shared");
  tcp.registerHandler(to, (_, message) => message.reply({ over: "tcp", got: message.body }));
  await settled(tcp);
  assert.deepEqual((await requestOverSockJs(sockjs, to, "hello")).body, { over: "tcp", got: "hello" });
});

test("a large message passes in one piece", async (t) => {
  const bus = await open(t);
  const to = address("large");
  const inbox = inboxOf(bus, to);
  await settled(bus);
  const body = "x".repeat(200_000);
  bus.publish(to, body);
  assert.equal((await inbox.next()).body, body);
});

test("the end of the server ends the connection", async (t) => {
  const other = await serve({ "gateway.tcp": { listen: "127.0.0.1:0" } });
  t.after(() => other.stop());
  const [, place] = await other.program.line(/^TCP bridge on .*:(\d+)$/);
  const bus = new TcpEventBus("127.0.0.1", Number(place));
  bus.onerror = () => {};
  await within(new Promise((resolve) => (bus.onopen = resolve)), "the client opens");
  const closed = new Promise((resolve) => (bus.onclose = resolve));
  await other.stop("SIGTERM");
  await within(closed, "the client hears of the end");
});
