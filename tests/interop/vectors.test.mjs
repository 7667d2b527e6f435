// The golden envelopes and frames that the Rust tests read as well, against a running server.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { openRaw } from "../support-js/clients.mjs";
import { serve, sockjsServices } from "../support-js/server.mjs";
import { Inbox } from "../support-js/waiting.mjs";

const read = (name) => JSON.parse(readFileSync(new URL(`../../protocol/vectors/${name}`, import.meta.url)));
const vectors = read("envelopes.json");
const sockjsVectors = read("sockjs.json");

let running;
before(async () => (running = await serve()));
after(() => running?.stop());

test("every broken envelope is refused as the vectors say", async (t) => {
  const raw = await openRaw(t, running.socket);
  const broken = vectors.filter((vector) => vector.refusal);
  assert.ok(broken.length > 25, `only ${broken.length} vectors`);
  for (const { text, refusal, replyAddress } of broken) {
    raw.sendText(text);
    const answer = await raw.next();
    assert.deepEqual([answer.type, answer.body, answer.address], ["err", refusal, replyAddress], text);
  }
});

test("every sound envelope passes", async (t) => {
  const raw = await openRaw(t, running.socket);
  const silent = ({ refusal, failure, replyAddress, receipt }) => !refusal && !failure && !replyAddress && !receipt;
  const sound = vectors.filter((vector) => vector.kind === "client" && silent(vector));
  assert.ok(sound.length > 8, `only ${sound.length} vectors`);
  for (const { text } of sound) {
    raw.sendText(text);
    await raw.settled();
  }
});

test("the server frames messages to the letter as the vectors say", async (t) => {
  const services = await sockjsServices();
  t.after(() => services.stop());
  const frames = sockjsVectors.filter((vector) => vector.kind === "message_frame");
  assert.ok(frames.length > 5, `only ${frames.length} vectors`);
  const socket = new WebSocket(`${services.origin.replace("http", "ws")}/echo/000/vectors/websocket`);
  t.after(() => socket.close());
  const received = new Inbox("the frames");
  socket.on("message", (data) => received.push(data.toString()));
  assert.equal(await received.next(), "o");
  for (const { message, frame } of frames) {
    socket.send(JSON.stringify([message]));
    assert.equal(await received.next(), frame);
  }
});
