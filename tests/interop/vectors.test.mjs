// The golden envelopes that the Rust tests read as well, against a running server.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { openRaw } from "../support-js/clients.mjs";
import { serve } from "../support-js/server.mjs";

const vectors = JSON.parse(readFileSync(new URL("../../protocol/vectors/envelopes.json", import.meta.url)));

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
  const sound = vectors.filter(({ kind, refusal, failure, replyAddress }) => kind === "client" && !refusal && !failure && !replyAddress);
  assert.ok(sound.length > 8, `only ${sound.length} vectors`);
  for (const { text } of sound) {
    raw.sendText(text);
    await raw.settled();
  }
});
