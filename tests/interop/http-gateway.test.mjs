// The HTTP gateway, with fetch, and its OpenAPI document, with a validator that others wrote.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { address, listen, openBuses } from "../support-js/clients.mjs";
import { serve } from "../support-js/server.mjs";
import { within } from "../support-js/waiting.mjs";

let running, api;
before(async () => {
  running = await serve({ "gateway.http": { path: "/api" } });
  api = `${running.origin}/api`;
});
after(() => running?.stop());

const post = (path, body) =>
  fetch(`${api}/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Bus-Colour": "red" },
    body: JSON.stringify(body),
  });

test("what is published by POST reaches a SockJS client", async (t) => {
  const [bus] = await openBuses(t, running.bridge, "websocket");
  const inbox = await listen(bus, address("news/sport x"));
  const sent = await post(`publish/${encodeURIComponent(inbox.name)}`, { goal: 1 });
  assert.equal(sent.status, 204);
  const { body, headers } = await inbox.next();
  assert.deepEqual([body, headers], [{ goal: 1 }, { colour: "red" }]);
});

test("a request by POST is answered by a SockJS client", async (t) => {
  const [bus] = await openBuses(t, running.bridge, "websocket");
  const inbox = await listen(bus, address("svc"));
  const answer = post(`request/${inbox.name}`, "question");
  const question = await inbox.next();
  question.reply({ to: question.body });
  const response = await within(answer, "an answer");
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { to: "question" });
});

test("an address is a stream of server-sent events", async () => {
  const to = address("stream");
  const stop = new AbortController();
  const response = await fetch(`${api}/subscribe/${to}`, { signal: stop.signal });
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const next = async () => (await within(reader.read(), "an event")).value;
  assert.equal(await next(), ": subscribed\n\n");
  assert.equal((await post(`publish/${to}`, 1)).status, 204);
  assert.equal(await next(), `event: message\ndata: {"type":"rec","address":"${to}","body":1,"headers":{"colour":"red"}}\n\n`);
  stop.abort();
});

test("the OpenAPI document is valid", async () => {
  const document = await (await fetch(`${api}/openapi.json`)).json();
  const { valid, errors } = await new Validator().validate(document);
  assert.ok(valid, JSON.stringify(errors, null, 2));
  assert.deepEqual(Object.keys(document.paths).sort(), [
    "/publish/{address}",
    "/request/{address}",
    "/send/{address}",
    "/subscribe/{address}",
  ]);
});
