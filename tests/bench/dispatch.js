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
    const texts = Array.from({ length: perFrame }, (_, number) =>
      JSON.stringify({ type: "rec", address: ADDRESS, ...(headers && { headers }), body: { number: at + number, ...body } }),
    );
    made.push("a" + JSON.stringify(texts));
  }
  return made;
};

/** Messages per second out of recorded frames. */
const replay = async (name, work, count, slices) => {
  globalThis.StandIn = Replay;
  let [got, sum] = [0, 0];
  replayed = undefined;
  const bus = clients[name](`${location.origin}/eventbus`, ({ body }) => {
    got += 1;
    sum += body.number;
  });
  await until(() => replayed?.registered);
  const all = frames(work, count);
  let spent = 0;
  for (let slice = 0; slice < slices; slice += 1) {
    const began = performance.now();
    for (const data of all) replayed.onmessage({ data });
    spent += performance.now() - began;
    // Promises and the like are worked off outside the measure, as between two events of a page.
    await new Promise((resolve) => setTimeout(resolve));
  }
  const expected = slices * count;
  if (got !== expected || sum !== (slices * count * (count - 1)) / 2) throw new Error(`${name} got ${got} of ${expected}`);
  bus.close();
  globalThis.StandIn = undefined;
  return (expected / spent) * 1000;
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
