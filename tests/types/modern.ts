// What compiles with the modern face, and what does not. Each `@ts-expect-error` fails when it would.

import { BusError, EventBus, connect, type AddressOf, type Asks, type BodyOf, type Message, type Status } from "trolleybus";

type Order = { id: number; items: string[] };
type Query = { symbol: string };
type Price = { amount: number };
type Mail = { subject: string };

type Addresses = {
  "orders.new": Order;
  "price.of": Asks<Query, Price>;
  "shop.opened": undefined;
  "shop.note": string | null;
  "time.now": Asks<void, number>;
  [inbox: `user.${string}`]: Mail;
};

const order: Order = { id: 7, items: ["pole"] };
const controller = new AbortController();
const { signal } = controller;

export async function typed() {
  const bus = await connect<Addresses>("/eventbus", {
    token: async () => "t",
    signal,
    transports: ["websocket", "xhr-polling"],
    outboxPolicy: "wait",
  });
  await bus.publish("orders.new", order, { headers: { trace: 7 }, localOnly: true });
  await bus.send("user.ada", { subject: "hello" });

  // @ts-expect-error a wrong body
  bus.publish("orders.new", { id: "seven", items: [] });
  // @ts-expect-error a wrong body for an address with a pattern as name
  bus.send("user.ada", { title: "hello" });
  // @ts-expect-error an address that nobody knows
  bus.publish("orders.old", order);
  // @ts-expect-error an option that is none
  bus.publish("orders.new", order, { header: {} });

  const reply = await bus.request("price.of", { symbol: "TRLY" }, { timeout: 100, signal });
  const amount: number = reply.body.amount;
  // @ts-expect-error the reply is a price
  reply.body.symbol;
  // @ts-expect-error a wrong query
  await bus.request("price.of", { name: "TRLY" });
  const told = await bus.request<{ ok: boolean }>("orders.new", order);
  const ok: boolean = told.body.ok;

  bus.consumer("price.of", (message) => {
    const symbol: string = message.body.symbol;
    message.reply({ amount: symbol.length });
    // @ts-expect-error a wrong reply
    message.reply({ amount: symbol });
    message.fail(404, "unknown");
  });
  for await (const message of bus.consumer("orders.new", { signal, maxBuffered: 5 })) {
    const items: string[] = message.body.items;
    // @ts-expect-error no such field
    message.body.item;
    if (items.length) break;
  }
  // @ts-expect-error an address that nobody knows
  bus.consumer("orders.old", () => {});
  bus.consumer<Order>("orders.*", ({ body }) => body.id, { pattern: true, overflow: "latest" });
  // @ts-expect-error a policy that is none
  bus.consumer("orders.new", () => {}, { overflow: "drop_newest" });
  return [amount, ok];
}

export async function bare(bus: EventBus<Addresses>) {
  // @ts-expect-error an order is wanted
  await bus.publish("orders.new");
  // @ts-expect-error a mail is wanted
  await bus.send("user.ada");
  // @ts-expect-error a query is wanted
  await bus.request("price.of");
  // @ts-expect-error `undefined` is no order
  await bus.publish("orders.new", undefined, { localOnly: true });
  await bus.publish("shop.opened");
  await bus.publish("shop.opened", undefined, { localOnly: true });
  // @ts-expect-error it has no body
  await bus.publish("shop.opened", order);
  await bus.send("shop.note");
  await bus.send("shop.note", null);
  await bus.send("shop.note", "back soon");
  const { body } = await bus.request("time.now");
  const now: number = body;
  const later = await bus.request("time.now", undefined, { timeout: 5 });
  return now + later.body;
}

/** Whoever is generic in the map passes bodies on. */
export async function passedOn<Map extends object>(bus: EventBus<Map>, to: AddressOf<Map>, body: BodyOf<Map, typeof to>) {
  await bus.publish(to, body);
  await bus.request(to, body, { timeout: 5 });
}

export async function shared() {
  const bus = await connect("/eventbus", { shared: true });
  await connect("/eventbus", { shared: { name: "u7", worker: new URL("https://example.org/w.js"), via: "worker" } });
  // @ts-expect-error a way that is none
  await connect("/eventbus", { shared: { via: "iframe" } });
  // @ts-expect-error only `connect` shares
  new EventBus("/eventbus", { shared: true });
  return bus;
}

export async function untyped() {
  await using bus = await connect(new URL("https://example.org/eventbus"));
  const plain = new EventBus("/eventbus", { reconnect: false });
  plain.publish("anything", [1, null, { a: true }]);
  plain.publish("anything");
  new EventBus("/eventbus", { WebSocket });
  // @ts-expect-error a class, not a socket
  new EventBus("/eventbus", { WebSocket: new WebSocket("/eventbus") });
  await plain.request<string>("anything").then(({ body }) => body.trim());
  const { body } = await bus.request<number>("sum", [1, 2]);
  const sum: number = body;
  for await (const { body } of bus.consumer<string>("work")) body.toUpperCase();
  const consumer = plain.consumer("news", async (message: Message<string>) => {
    await message.reply(message.body.length, { headers: { a: "b" } });
    const next = await message.request<number>("and?", { timeout: 5, signal });
    next.body.toFixed();
  });
  await consumer.completion;
  consumer.pause();
  consumer.fetch(3);
  consumer.unregister();
  await bus.close();
  return sum;
}

export async function states(bus: EventBus) {
  bus.onstate = (status) => describe(status);
  bus.onerror = (error) => error.kind;
  bus.addEventListener("state", ({ detail }) => describe(detail), { once: true });
  bus.addEventListener("error", ({ detail }) => detail.failureCode);
  bus.addEventListener("close", ({ detail }) => detail.wasClean);
  // @ts-expect-error an event that is none
  bus.addEventListener("message", () => {});
  for await (const status of bus.states({ signal })) describe(status);
  await bus.opened({ signal });
}

function describe(status: Status): string {
  switch (status.name) {
    case "open":
      return status.transport;
    case "waiting":
      return `${status.attempt} ${status.retryIn}`;
    case "closed":
      return `${status.code} ${status.reason}`;
    case "connecting":
      // @ts-expect-error there is no reason yet
      return status.reason;
  }
}

export function failed(error: unknown): string | undefined {
  if (!(error instanceof BusError)) return;
  switch (error.kind) {
    case "REFUSED":
      return error.word;
    case "RECIPIENT_FAILURE":
      return `${error.failureCode} ${error.message}`;
    // @ts-expect-error a kind that is none
    case "REJECTED":
      return;
  }
}
