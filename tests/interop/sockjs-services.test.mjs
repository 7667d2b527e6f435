// sockjs-client against plain SockJS services, without the bus.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { SockJS, TRANSPORTS, openSockJS } from "../support-js/clients.mjs";
import { sockjsServices } from "../support-js/server.mjs";
import { Inbox, LIMIT } from "../support-js/waiting.mjs";

let running;
before(async () => (running = await sockjsServices()));
after(() => running?.stop());

const TEXTS = ["tram", "", " ", "100%25", "\u0000\u001f\u200c\u2028\ufeff\uffff", "Łódź 🚎", '"\\</script>', "x".repeat(10_000)];

for (const transport of TRANSPORTS) {
  describe(`${transport}:`, () => {
    test("texts come back as they went, past the limit of a response", async (t) => {
      const wire = await openSockJS(t, `${running.origin}/echo`, [transport]);
      for (const text of TEXTS) wire.sendText(text);
      assert.deepEqual(await wire.frames.take(TEXTS.length), TEXTS);
    });

    test("1000 texts come back in order", async (t) => {
      const wire = await openSockJS(t, `${running.origin}/echo`, [transport]);
      const texts = Array.from({ length: 1000 }, (_, number) => String(number));
      for (const text of texts) wire.sendText(text);
      assert.deepEqual(await wire.frames.take(1000), texts);
    });

    test("large answers arrive whole", async (t) => {
      const wire = await openSockJS(t, `${running.origin}/amplify`, [transport]);
      wire.sendText("17");
      assert.equal((await wire.frames.next()).length, 2 ** 17);
    });

    test("the service's close arrives with its code and reason", async (t) => {
      const closes = new Inbox("onclose");
      const socket = new SockJS(`${running.origin}/close`, null, { transports: [transport], timeout: LIMIT });
      socket.onclose = (event) => closes.push(event);
      t.after(() => socket.close());
      const { code, reason, wasClean } = await closes.next();
      assert.deepEqual([code, reason, wasClean], [3000, "Go away!", true]);
    });

    test("with the cookie of a load balancer it works as well", async (t) => {
      const wire = await openSockJS(t, `${running.origin}/cookie_needed_echo`, [transport]);
      wire.sendText("sticky");
      assert.equal(await wire.frames.next(), "sticky");
    });
  });
}

test("without WebSocket the client falls back to a stream", async (t) => {
  const wire = await openSockJS(t, `${running.origin}/disabled_websocket_echo`, TRANSPORTS);
  assert.equal(wire.socket.transport, "xhr-streaming");
  wire.sendText("fallen back");
  assert.equal(await wire.frames.next(), "fallen back");
});
