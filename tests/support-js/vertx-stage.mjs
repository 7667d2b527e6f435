// What a fact of `vertx-behaviour.mjs` runs with, in Node and in pages.

import { LIMIT, within } from "./waiting.mjs";

/** `gate` and `server` are at hand there; `clean` closes what the fact opened. */
export function stageFor(Client, { url, transport, gate, server, address }) {
  const buses = [];
  const make = (options = {}, Class = Client, at = url) => {
    const bus = new Class(at, { transports: [transport], timeout: LIMIT, ...options });
    bus.onerror = () => {};
    buses.push(bus);
    return bus;
  };
  const open = async (options, Class) => {
    const bus = make(options, Class);
    await within(new Promise((resolve) => (bus.onopen = resolve)), `no ${transport} connection`);
    bus.onopen = undefined;
    return bus;
  };
  const clean = async () => {
    await gate.open();
    for (const bus of buses) {
      bus.onclose = bus.onopen = bus.onreconnect = undefined;
      bus.enableReconnect(false);
      bus.enablePing(false);
      bus.sockJSConn?.close();
    }
  };
  return { EventBus: Client, transport, gate, server, make, open, address, clean };
}
