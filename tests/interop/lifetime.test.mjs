// How connections end, and how clients come back.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TRANSPORTS, address, listen, openBus, openRaw, openSockJS, request, settled } from "../support-js/clients.mjs";
import { OPEN, freePort, serve } from "../support-js/server.mjs";
import { Inbox } from "../support-js/waiting.mjs";

const QUICK = { vertxbus_reconnect_delay_min: 50, vertxbus_reconnect_delay_max: 200, timeout: 5_000 };
const PING_TIMEOUT = 500;

async function started(t, settings) {
  const running = await serve(settings);
  t.after(() => running.stop());
  return running;
}

for (const transport of TRANSPORTS) {
  describe(`${transport}:`, () => {
    test("the client comes back after the server was restarted on its port", async (t) => {
      const server = { listen: `127.0.0.1:${await freePort()}`, drain_timeout_ms: 200 };
      const first = await serve({ server });
      const bus = await openBus(t, first.bridge, transport, QUICK);
      bus.enableReconnect(true);
      const opens = new Inbox("onopen");
      const news = new Inbox("news");
      bus.onopen = () => {
        // The client forgets its handlers when it connects again.
        bus.registerHandler("news", (_, message) => news.push(message.body));
        opens.push(null);
      };
      const reconnects = new Inbox("onreconnect");
      bus.onreconnect = () => reconnects.push(null);
      bus.onclose = (event) => bus.closes.push(event);
      await settled(bus);
      await first.stop();
      await bus.closes.next();
      await started(t, { server });
      await opens.next();
      await reconnects.next();
      bus.publish("news", "back");
      assert.equal(await news.next(), "back");
    });

    test("a server that shuts down tells its clients to come back", async (t) => {
      const running = await serve({ server: { drain_timeout_ms: 500 } });
      const bus = await openBus(t, running.bridge, transport);
      const inbox = await listen(bus, address("news"));
      bus.publish(inbox.name, 1);
      await inbox.next();
      const [close] = await Promise.all([bus.closes.next(), running.stop()]);
      assert.deepEqual([close.code, close.reason], [1012, "Service restart"]);
    });

    test("a client without pings is closed: 3000 Go away!", async (t) => {
      const running = await started(t, { bridge: { ...OPEN, ping_timeout_ms: PING_TIMEOUT } });
      const start = performance.now();
      const bus = await openBus(t, running.bridge, transport);
      bus.enablePing(false);
      const { code, reason } = await bus.closes.next();
      assert.deepEqual([code, reason], [3000, "Go away!"]);
      assert.ok(performance.now() - start >= PING_TIMEOUT - 1);
    });

    test("a client with pings stays", async (t) => {
      const running = await started(t, { bridge: { ...OPEN, ping_timeout_ms: PING_TIMEOUT, reply_timeout_ms: 3 * PING_TIMEOUT } });
      const bus = await openBus(t, running.bridge, transport, { vertxbus_ping_interval: PING_TIMEOUT / 5 });
      const silent = address("silent");
      await listen(bus, silent);
      // The wait for an answer that never comes is longer than two ping timeouts.
      await assert.rejects(request(bus, silent), ({ failureType }) => failureType === "TIMEOUT");
      assert.equal(bus.closes.waiting, 0);
    });

    test("what a client registered is gone when it leaves", async (t) => {
      const running = await started(t, { sockjs: { disconnect_delay_ms: 200 } });
      const [leaving, staying] = await Promise.all([openBus(t, running.bridge, transport), openBus(t, running.bridge, transport)]);
      const inbox = await listen(leaving, address("service"));
      const answer = request(staying, inbox.name, 1);
      await inbox.next();
      leaving.close();
      // Whoever still waits for the one who left is told as soon as the server notices.
      await assert.rejects(answer, ({ failureType }) => failureType === "TIMEOUT");
      await assert.rejects(request(staying, inbox.name, 2), ({ failureType }) => failureType === "NO_HANDLERS");
    });
  });
}

test("a message over the limit closes the WebSocket with 1009, and is not delivered", async (t) => {
  const running = await started(t, { sockjs: { max_message_size: 1000 } });
  const wire = await openSockJS(t, running.bridge);
  const listener = await openSockJS(t, running.bridge);
  listener.send({ type: "register", address: "big" });
  await listener.settled();
  wire.send({ type: "publish", address: "big", body: "x".repeat(1000) });
  assert.equal((await wire.closes.next()).code, 1009);
  assert.equal((await listener.ask({ type: "publish", address: "big", body: "fits" })).body, "fits");
});

test("a raw socket without pings is closed with 1001", async (t) => {
  const running = await started(t, { bridge: { ...OPEN, ping_timeout_ms: PING_TIMEOUT } });
  const raw = await openRaw(t, running.socket);
  assert.equal((await raw.closes.next()).code, 1001);
});

test("a raw socket learns of a shutdown: 1012", async (t) => {
  const running = await started(t);
  const raw = await openRaw(t, running.socket);
  await raw.settled();
  running.program.child.kill("SIGTERM");
  assert.equal((await raw.closes.next()).code, 1012);
});

test("a server that is stopped ends with exit code 0, from its first line on", async () => {
  for (let times = 0; times < 5; times += 1) {
    const running = await serve();
    assert.equal(await running.program.stop("SIGTERM"), 0);
    await running.stop();
  }
});
