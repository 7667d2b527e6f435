// The raw WebSocket, with `ws`: one envelope per message, without SockJS frames.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { address, listen, openBuses, openRaw, request } from "../support-js/clients.mjs";
import { serve } from "../support-js/server.mjs";
import { within } from "../support-js/waiting.mjs";

let running;
before(async () => (running = await serve()));
after(() => running?.stop());

test("envelopes come in binary frames, whether they went in text or in binary ones", async (t) => {
  const raw = await openRaw(t, running.socket);
  const to = address("raw");
  raw.send({ type: "register", address: to });
  for (const body of ["text", "binary 🚎"]) {
    const envelope = JSON.stringify({ type: "publish", address: to, body });
    raw.socket.send(body === "text" ? envelope : Buffer.from(envelope));
    assert.deepEqual(await raw.next(), { type: "rec", address: to, body });
    assert.equal(raw.isBinary, true);
  }
});

test("refusals come in binary frames too, and the socket stays open", async (t) => {
  const raw = await openRaw(t, running.socket);
  assert.equal((await raw.ask("nonsense")).body, "invalid_json");
  assert.equal(raw.isBinary, true);
  await raw.settled();
});

test("bytes that are no UTF-8 end the connection in a text frame: 1007", async (t) => {
  const raw = await openRaw(t, running.socket);
  raw.socket.send(Buffer.from([0x7b, 0xff, 0x7d]), { binary: false });
  assert.equal((await raw.closes.next()).code, 1007);
});

test("bytes that are no UTF-8 become U+FFFD in a binary frame", async (t) => {
  const raw = await openRaw(t, running.socket);
  const to = address("raw");
  raw.send({ type: "register", address: to });
  const [start, end] = [`{"type":"publish","address":"${to}","body":"a`, 'b"}'];
  raw.socket.send(Buffer.concat([Buffer.from(start), Buffer.from([0xff]), Buffer.from(end)]));
  assert.equal((await raw.next()).body, "a\ufffdb");
});

test("an envelope in several fragments is one", async (t) => {
  const raw = await openRaw(t, running.socket);
  const envelope = JSON.stringify({ type: "send", address: address("nobody"), replyAddress: "r" });
  raw.socket.send(envelope.slice(0, 10), { fin: false });
  raw.socket.send(envelope.slice(10, 20), { fin: false });
  raw.socket.send(envelope.slice(20), { fin: true });
  assert.equal((await raw.next()).failureType, "NO_HANDLERS");
});

test("raw sockets and SockJS clients share the bus", async (t) => {
  const raw = await openRaw(t, running.socket);
  const [bus] = await openBuses(t, running.bridge, "xhr-streaming");
  const to = address("shared");
  raw.send({ type: "register", address: to });
  await raw.settled();
  const answer = request(bus, to, { from: "SockJS" });
  const question = await raw.next();
  assert.deepEqual(question.body, { from: "SockJS" });
  raw.send({ type: "send", address: question.replyAddress, body: { from: "raw" } });
  assert.deepEqual((await answer).body, { from: "raw" });
  const inbox = await listen(bus, address("other"));
  raw.send({ type: "send", address: inbox.name, body: 1, headers: { a: "b" } });
  const { body, headers } = await inbox.next();
  assert.deepEqual([body, headers], [1, { a: "b" }]);
});

test("no open frame and no heartbeat precede the first envelope", async (t) => {
  const raw = await openRaw(t, running.socket);
  await raw.settled();
  assert.equal(raw.frames.waiting, 0);
});

test("a WebSocket ping is answered", async (t) => {
  const raw = await openRaw(t, running.socket);
  const pong = new Promise((resolve) => raw.socket.once("pong", (data) => resolve(String(data))));
  raw.socket.ping("are you there?");
  assert.equal(await within(pong, "no pong"), "are you there?");
});

test("the close of the client is answered with its code", async (t) => {
  const raw = await openRaw(t, running.socket);
  raw.socket.close(4001, "enough");
  assert.equal((await raw.closes.next()).code, 4001);
});

test("a request without upgrade is told what is wanted", async () => {
  const response = await fetch(`${running.bridge}/websocket`);
  assert.equal(response.status, 400);
});

test("a switched-off raw WebSocket is not found", async (t) => {
  const without = await serve({ sockjs: { disabled_transports: ["websocket-raw"] } });
  t.after(() => without.stop());
  const socket = new WebSocket(without.socket);
  const refused = new Promise((resolve, reject) => {
    socket.once("unexpected-response", (_, response) => resolve(response.statusCode));
    socket.once("open", () => reject(new Error("it opened")));
  });
  assert.equal(await within(refused, "no answer"), 404);
});
