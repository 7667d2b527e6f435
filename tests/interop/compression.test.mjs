// permessage-deflate, with Node's `ws` and with Chromium.

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { launchBrowser, openPage } from "../support-js/browser.mjs";
import { address, openRaw } from "../support-js/clients.mjs";
import { serve } from "../support-js/server.mjs";
import { siteServer } from "../support-js/site.mjs";

const RECORDS = Array.from({ length: 2000 }, (_, id) => ({ id, name: `sensor ${id % 17}`, value: Math.sin(id) }));

let running, browser, site;
before(async () => {
  [running, browser, site] = await Promise.all([serve(), launchBrowser(), siteServer()]);
});
after(() => Promise.all([running?.stop(), browser?.close(), site?.stop()]));

/** What a `ws` that was opened with these options has agreed to. */
async function agreed(url, options) {
  const socket = new WebSocket(url, options);
  await once(socket, "open");
  const { extensions } = socket;
  socket.close();
  await once(socket, "close");
  return extensions;
}

test("ws agrees to it as it comes, unless one of both says no", async (t) => {
  assert.equal(await agreed(running.socket), "permessage-deflate");
  assert.equal(await agreed(running.socket, { perMessageDeflate: false }), "");
  const without = await serve({ sockjs: { compression: false } });
  t.after(() => without.stop());
  assert.equal(await agreed(without.socket), "");
});

test("large and small messages go both ways, in order, and the large ones take less of the wire", async (t) => {
  const raw = await openRaw(t, running.socket);
  assert.equal(raw.socket.extensions, "permessage-deflate");
  const to = address("compressed");
  raw.send({ type: "register", address: to });
  await raw.settled();
  const before = raw.socket._socket.bytesRead;
  const bodies = [1, RECORDS, 2, RECORDS.slice(0, 100), "x".repeat(5000), 3];
  for (const body of bodies) raw.send({ type: "publish", address: to, body });
  for (const body of bodies) assert.deepEqual((await raw.next()).body, body);
  const plain = bodies.reduce((sum, body) => sum + JSON.stringify(body).length, 0);
  const read = raw.socket._socket.bytesRead - before;
  assert.ok(read < plain / 2, `${read} of ${plain}`);
});

test("a client may ask for a smaller window, and inflates all that comes", async (t) => {
  for (const serverMaxWindowBits of [9, 10, 12, 15]) {
    const raw = await openRaw(t, running.socket, { perMessageDeflate: { serverMaxWindowBits } });
    const { params } = raw.socket._extensions["permessage-deflate"];
    assert.equal(params.server_max_window_bits, serverMaxWindowBits);
    const to = address("window");
    raw.send({ type: "register", address: to });
    for (const count of [1, 20, 40, 60, 80, 2000]) {
      const body = RECORDS.slice(0, count);
      raw.send({ type: "publish", address: to, body });
      assert.deepEqual((await raw.next()).body, body);
    }
  }
});

test("a compressed message may come in fragments", async (t) => {
  const raw = await openRaw(t, running.socket);
  const to = address("fragments");
  raw.send({ type: "register", address: to });
  const text = JSON.stringify({ type: "publish", address: to, body: RECORDS });
  const middle = text.length / 2;
  raw.socket.send(text.slice(0, middle), { fin: false, compress: true });
  raw.socket.send(text.slice(middle), { fin: true, compress: true });
  assert.deepEqual((await raw.next()).body, RECORDS);
});

test("what inflates beyond the limit closes with 1009", async (t) => {
  const raw = await openRaw(t, running.socket);
  raw.send({ type: "publish", address: "any", body: "x".repeat(300_000) });
  assert.equal((await raw.closes.next()).code, 1009);
});

test("Chromium agrees to it, and reads and writes what is compressed", async (t) => {
  const page = await openPage(t, browser, `${site.origin}/`);
  const told = await page.evaluate(
    async ({ url, to, records }) => {
      const socket = new WebSocket(url);
      socket.binaryType = "arraybuffer";
      await new Promise((resolve) => (socket.onopen = resolve));
      socket.send(JSON.stringify({ type: "register", address: to }));
      const heard = new Promise((resolve) => (socket.onmessage = resolve));
      socket.send(JSON.stringify({ type: "publish", address: to, body: records }));
      const text = new TextDecoder().decode((await heard).data);
      socket.close();
      return { extensions: socket.extensions, body: JSON.parse(text).body };
    },
    { url: running.socket, to: address("chromium"), records: RECORDS },
  );
  assert.equal(told.extensions, "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  assert.deepEqual(told.body, RECORDS);
});
