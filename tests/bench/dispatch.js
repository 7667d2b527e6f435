// In a page: how many messages a second reach a JavaScript handler, ours and Vert.x's client by turns.
// The frames come from a WebSocket that is none, so the clients are all that takes time; or, live,
// from the server of the runner.

import { EventBus as Ours } from "/sdk/index.js";

const ADDRESS = "bench.dispatch";

/** The last replay that was opened; it says `o`, notes what the client says, and answers no one. */
let replayed;
class Replay {
  readyState = 1;
  bufferedAmount = 0;
  constructor(url) {
    this.url = url;
    replayed = this;
    queueMicrotask(() => this.onopen?.({}));
    setTimeout(() => this.onmessage({ data: "o" }));
  }
  send(text) {
    if (text.includes("register")) this.registered = true;
  }
  close() {
    this.onmessage = () => {};
  }
}

const until = async (holds) => {
  const deadline = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

const clients = {
  ours(url, take) {
    const bus = new Ours(url, { transports: ["websocket"] });
    bus.consumer(ADDRESS, take);
    return bus;
  },
  vertx(url, take) {
    const bus = new globalThis.EventBus(url, { transports: ["websocket"] });
    bus.onopen = () => bus.registerHandler(ADDRESS, (error, message) => take(message));
    return bus;
  },
};

/** What the server writes for `publish` with such a body, `perFrame` messages in a frame. */
const frames = ({ body, perFrame, headers }, count) => {
  const made = [];
  for (let at = 0; at < count; at += perFrame) {
    const texts = Array.from({ length: Math.min(perFrame, count - at) }, (_, number) =>
      JSON.stringify({ type: "rec", address: ADDRESS, ...(headers && { headers }), body: { number: at + number, ...body } }),
    );
    made.push("a" + JSON.stringify(texts));
  }
  return made;
};

/** A client over a socket that replays. */
const replaying = async (name) => {
  globalThis.StandIn = Replay;
  replayed = undefined;
  const client = { got: 0, sum: 0, rates: [] };
  client.bus = clients[name](`${location.origin}/eventbus`, ({ body }) => {
    client.got += 1;
    client.sum += body.number;
  });
  await until(() => replayed?.registered);
  client.socket = replayed;
  globalThis.StandIn = undefined;
  return client;
};

/**
 * Messages per second out of recorded frames, of each client in each of so many slices; the clients
 * take turns, so that whatever else the machine does meets both.
 */
const replay = async (work, count, slices) => {
  const all = frames(work, count);
  const pair = { ours: await replaying("ours"), vertx: await replaying("vertx") };
  for (let slice = -5; slice < slices; slice += 1)
    for (const name of slice % 2 ? ["ours", "vertx"] : ["vertx", "ours"]) {
      const client = pair[name];
      const { onmessage } = client.socket;
      const began = performance.now();
      for (const data of all) onmessage({ data });
      const spent = performance.now() - began;
      // The first ones warm up.
      if (slice >= 0) client.rates.push((count / spent) * 1000);
      // Promises and the like are worked off outside the measure, as between two events of a page.
      await new Promise((resolve) => setTimeout(resolve));
    }
  const [got, sum] = [(slices + 5) * count, ((slices + 5) * count * (count - 1)) / 2];
  for (const client of Object.values(pair)) {
    if (client.got !== got || client.sum !== sum) throw new Error(`got ${client.got} of ${got}`);
    client.bus.close();
  }
  return { ours: pair.ours.rates, vertx: pair.vertx.rates };
};

/** Messages per second from a real server that a program floods, from the first to the last. */
const live = async (name, url, count) => {
  let [got, first, last] = [0];
  const bus = clients[name](url, () => {
    got += 1;
    if (got === 1) first = performance.now();
    last = performance.now();
  });
  await until(() => bus.state === 1 || bus.status?.name === "open");
  await new Promise((resolve) => setTimeout(resolve, 100));
  await globalThis.flood(ADDRESS);
  await until(() => got === count);
  bus.close();
  return ((got - 1) / (last - first)) * 1000;
};

globalThis.bench = { replay, live };
