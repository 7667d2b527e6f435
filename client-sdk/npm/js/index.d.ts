/// <reference lib="esnext.disposable" />

/** Any JSON value. `undefined` travels as `null`. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Headers of a message. A name with several values has an array. */
export type Headers = Record<string, string | string[]>;

/** Headers as they may be given. Values that are no strings travel as their JSON text. */
export type HeadersInit = Record<string, unknown>;

/** The transports, best first. */
export type Transport = "websocket" | "xhr-streaming" | "eventsource" | "xhr-polling";

declare const asks: unique symbol;

/**
 * In a map of addresses: whoever sends a `Query` there gets a `Reply`.
 *
 * ```ts
 * type Addresses = { "orders.new": Order; "price.of": Asks<Query, Price>; [inbox: `user.${string}`]: Mail };
 * const bus = await connect<Addresses>("/eventbus");
 * const { body } = await bus.request("price.of", query); // body is a Price
 * ```
 */
export interface Asks<Query = unknown, Reply = unknown> {
  readonly [asks]: [Query, Reply];
}

/** What a bus without a map of addresses carries: anything, anywhere. */
export type Anything = Record<string, any>;

/** The addresses of a map. */
export type AddressOf<Addresses> = keyof Addresses & string;

/** What is sent to an address of a map. */
export type BodyOf<Addresses, Address> = Address extends keyof Addresses
  ? Addresses[Address] extends Asks<infer Query, any>
    ? Query
    : Addresses[Address]
  : never;

/** The addresses of a map whose body may be left out: its type admits `undefined` or `null`. */
export type BareAddressOf<Addresses> = {
  [Address in AddressOf<Addresses>]: undefined extends BodyOf<Addresses, Address>
    ? Address
    : null extends BodyOf<Addresses, Address>
      ? Address
      : never;
}[AddressOf<Addresses>];

/** What an address of a map answers; anything where the map does not say. */
export type ReplyOf<Addresses, Address> = Address extends keyof Addresses
  ? Addresses[Address] extends Asks<any, infer Reply>
    ? Reply
    : any
  : never;

/** How a message is delivered. */
export interface DeliveryOptions {
  /** Headers to go with the message. */
  headers?: HeadersInit;
  /** Keep the message within this client. */
  localOnly?: boolean;
}

/** How a request is delivered. */
export interface RequestOptions extends DeliveryOptions {
  /** Milliseconds until it fails with `TIMEOUT`, 30,000 by default. */
  timeout?: number;
  /**
   * Gives the request up: it rejects with the signal's reason at once. A message that has not left
   * yet is taken back; one that has may still be served.
   */
  signal?: AbortSignal;
}

/** Settings of a bus. Names with `vertxbus_` are those of Vert.x; zeros are honoured in all of them. */
export interface Options {
  /** Transports to try, in this order; all four by default. */
  transports?: Transport | Transport[];
  /**
   * The class for WebSockets, such as that of `ws` in Node 20, which has none; the global one by default.
   * Shared connections always have that.
   */
  WebSocket?: new (url: string) => object;
  /** Whether a lost connection is opened again, true by default. */
  reconnect?: boolean;
  /** Milliseconds a request waits when it does not say, 30,000 by default. */
  requestTimeout?: number;
  /**
   * Who this client is: a token, or what gives one, asked before each attempt to connect. It is the
   * first thing that is said on a connection and stands in no URL; an empty one means none. A JSON
   * Web Token is renewed in the last tenth of its time, at most a minute before its end, on the same
   * connection. When the server turns it down, a fresh one is tried once without delay.
   */
  token?: string | (() => string | Promise<string>);
  /** Milliseconds between pings, 5,000 by default; zero or less sends none. Must be below the server's ping timeout. */
  vertxbus_ping_interval?: number;
  /** Failed attempts in a row before giving up, Infinity by default; zero means no reconnect. */
  vertxbus_reconnect_attempts_max?: number;
  /** The first delay before a reconnect in milliseconds, 500 by default. */
  vertxbus_reconnect_delay_min?: number;
  /** The longest delay in milliseconds, 30,000 by default. */
  vertxbus_reconnect_delay_max?: number;
  /** By how much each delay exceeds the one before, 2 by default. */
  vertxbus_reconnect_exponent?: number;
  /** How far a delay may differ from the computed one, as a share of it, 0.5 by default. */
  vertxbus_randomization_factor?: number;
  /** Milliseconds a server that sends heartbeats may be silent, 62,500 by default; zero for ever. */
  idleTimeout?: number;
  /**
   * Milliseconds until a page that had to fall back tries a WebSocket beside its connection, 120,000 by
   * default. It climbs in a moment without requests under way, and nothing is lost; `status` tells.
   */
  climbAfter?: number;
  /** Messages that may wait for the connection, 1,000 by default. */
  outboxLimit?: number;
  /** Bytes of messages that may wait for the connection, 1 MiB by default. */
  outboxBytes?: number;
  /**
   * What becomes of a message that finds the outbox full:
   * - `"reject"`, the default: its promise rejects with `OVERFLOW`.
   * - `"drop_oldest"`: the messages that wait longest make way. A request among them rejects with
   *   `OVERFLOW`; of the others one `error` event tells how many went.
   * - `"wait"`: its promise resolves when there is room. Up to 1,000 wait; one more rejects with `OVERFLOW`.
   */
  outboxPolicy?: "reject" | "drop_oldest" | "wait";
}

/** How tabs share a connection. */
export interface SharedOptions {
  /** Tabs with the same name and URL share, whatever their options; those of the first one hold. */
  name?: string;
  /** Where the script of the SharedWorker is, `trolleybus-worker.js` of this package: for bundlers that do not find it. */
  worker?: string | URL;
  /** `"worker"` and `"tab"` allow that way alone; `"none"` is a connection of its own. `"auto"` by default. */
  via?: "auto" | "worker" | "tab" | "none";
}

/** Settings of {@link connect}. */
export interface ConnectOptions extends Options {
  /**
   * One connection for all tabs of the origin that ask for it with the same URL and options: in a
   * SharedWorker, or in one of the tabs where there is none. Where neither is possible the tab has a
   * connection of its own. False by default.
   */
  shared?: boolean | SharedOptions;
  /** Gives up connecting: the bus is closed and `connect` rejects with the signal's reason. Means nothing once it is open. */
  signal?: AbortSignal;
}

/**
 * Why an operation failed, for decisions:
 * - `TIMEOUT`: no reply in time.
 * - `NO_HANDLERS`: nobody consumes the address.
 * - `RECIPIENT_FAILURE`: whoever served the request failed it, with `failureCode` and a message.
 * - `REFUSED`: the bridge does not permit it; `word` says why.
 * - `CONNECTION_LOST`: nobody knows whether the request was served.
 * - `CLOSED`: the bus, or the way back to who asked, is closed for good.
 * - `OVERFLOW`: the outbox is full.
 * - `BODY`, `HEADERS`: what was given cannot be sent.
 * - `ERROR`, `OTHER`: what a server says without more.
 */
export type ErrorKind =
  | "TIMEOUT"
  | "NO_HANDLERS"
  | "RECIPIENT_FAILURE"
  | "ERROR"
  | "REFUSED"
  | "CONNECTION_LOST"
  | "CLOSED"
  | "OVERFLOW"
  | "BODY"
  | "HEADERS"
  | "OTHER";

/** Vert.x's word for why a request got no answer. */
export type FailureType = "TIMEOUT" | "NO_HANDLERS" | "RECIPIENT_FAILURE" | "ERROR";

/** What every promise of a bus rejects with, but for an abort, where it is the signal's reason. */
export class BusError extends Error {
  constructor(kind: ErrorKind, failureCode: number, failureType: FailureType, message?: string, word?: string);
  readonly name: "BusError";
  readonly kind: ErrorKind;
  /** The recipient's own code, the refusal's code, or -1. */
  readonly failureCode: number;
  readonly failureType: FailureType;
  /** The bridge's word when it refused, such as `access_denied`. */
  readonly word?: string;
}

/** A message as a consumer gets it, or a reply. */
export interface Message<T = any, R = any> {
  /** The address it was sent to. */
  readonly address: string;
  /** The body; each consumer has a copy of its own. */
  readonly body: T;
  readonly headers: Headers;
  /** The pattern through which it came, for a consumer of a pattern. */
  readonly pattern?: string;
  /** Messages of this registration that the server dropped before this one, see `overflow`. */
  readonly dropped: number;
  /** There when the sender waits for a reply. */
  readonly replyAddress?: string;
  /**
   * Replies; does nothing when no reply is wanted. Only the first reply counts. Rejects with `CLOSED`
   * when the connection that brought the message is gone; that alone is no unhandled rejection when
   * nobody awaits it, because who asked is told anyway.
   */
  reply(body?: R, options?: DeliveryOptions): Promise<void>;
  /** Replies, and resolves to the reply to the reply. */
  request<Next = any>(body?: R, options?: RequestOptions): Promise<Message<Next>>;
  /** Fails the request with a code and text of the application's own. Rejects as `reply` does. */
  fail(code: number, text?: string): Promise<void>;
}

/** Where the connection stands. `retryIn` is in milliseconds, `code` is that of SockJS; 1006 when the connection just went. */
export type Status =
  | { readonly name: "connecting"; readonly transport?: undefined }
  | { readonly name: "open"; readonly transport: Transport }
  | {
      readonly name: "waiting";
      readonly transport?: undefined;
      readonly attempt: number;
      readonly retryIn: number;
      readonly code: number;
      readonly reason: string;
    }
  | { readonly name: "closed"; readonly transport?: undefined; readonly code: number; readonly reason: string };

/** How an address is consumed. */
export interface ConsumerOptions {
  /** Only what this client sends. */
  local?: boolean;
  /**
   * The address is a pattern: words between dots (`news.*`, `news.>`, `news.#`), or levels between
   * slashes (`news/+`, `news/#`). It means what comes from the server.
   */
  pattern?: boolean;
  /**
   * What the server does when this page does not keep up: close the connection (the default), drop
   * the oldest messages, or keep the latest of each address. Several consumers of one address share
   * what the first of them chose.
   */
  overflow?: "close" | "drop_oldest" | "latest";
  /** Messages that may wait while nobody takes them, 1,000 by default. */
  maxBuffered?: number;
  /** Ends the registration; an iteration and `completion` then reject with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * A registration. Without a handler it is iterated: `for await (const message of consumer)`. What is
 * not taken waits, up to `maxBuffered`; the newest beyond is discarded, which `dropped` counts, and
 * a request among them fails at once. It ends with its loop, by `unregister`, by its signal, by
 * `await using`, and with the bus.
 */
export interface Consumer<T = any, R = any> extends AsyncIterable<Message<T, R>>, Disposable, AsyncDisposable {
  readonly address: string;
  /** Whether the address is a pattern. */
  readonly pattern: boolean;
  /** Messages discarded because nobody took them. */
  readonly dropped: number;
  /**
   * Resolves when the server has acknowledged the registration. Rejects with a {@link BusError}:
   * `REFUSED`, `CLOSED` when it ended before, or `TIMEOUT` when the server does not answer within
   * 10 s, as Vert.x does not; the registration may stand all the same. It tells of the first answer
   * only; after a reconnect the registration is made again, and a refusal then comes as `error`.
   */
  readonly completion: Promise<void>;
  /** Lets messages wait. */
  pause(): void;
  /** Takes as many as come. */
  resume(): void;
  /** Takes so many more after `pause`. */
  fetch(messages: number): void;
  /** Ends the registration, and the loop. */
  unregister(): void;
}

/** What the events of a bus tell, by their types; `on…` properties are called with it. */
export interface BusEvents {
  /** Every change of `status`. */
  state: Status;
  /** The connection stands, the first time or again. */
  open: Status & { readonly name: "open" };
  /** The connection was lost, an attempt failed, or the bus was closed. */
  close: { readonly code: number; readonly reason: string; readonly wasClean: boolean };
  /** An error that belongs to no promise, such as a refused registration; `console.error` when nobody listens. */
  error: BusError;
  /** An envelope that is no message, such as an application's own; `console.warn` when nobody listens. */
  unhandled: any;
}

/** What listeners get. */
export interface BusEvent<Type extends keyof BusEvents = keyof BusEvents> extends Event {
  readonly type: Type;
  readonly detail: BusEvents[Type];
}

/**
 * One connection to an event bus. It connects in the background, falls back from WebSocket to HTTP,
 * reconnects, and registers its consumers again. What is sent while there is no connection waits in
 * a bounded outbox. Every promise settles: with a {@link BusError} when the bus is closed for good.
 *
 * `Addresses` maps addresses to the types of their bodies, see {@link Asks}; without it everything goes.
 */
export class EventBus<Addresses extends object = Anything> implements AsyncDisposable {
  /** @param url The bridge, such as `/eventbus`; relative to the page. */
  constructor(url: string | URL, options?: Options);

  /** Where the connection stands. */
  readonly status: Status;
  /** The transport in use, while open. */
  readonly transport?: Transport;
  /** As {@link opened}. */
  readonly ready: Promise<void>;
  /** Resolves when the connection stands; rejects with `CLOSED` when the bus is closed for good. */
  opened(options?: { signal?: AbortSignal }): Promise<void>;
  /** The present status, then each change; a slow reader sees the latest. Ends after `closed`. */
  states(options?: { signal?: AbortSignal }): AsyncIterableIterator<Status>;

  /** Sends to every consumer of the address; resolves when the outbox has it. */
  publish<A extends AddressOf<Addresses>>(
    address: A,
    body: BodyOf<Addresses, A>,
    options?: DeliveryOptions,
  ): Promise<void>;
  publish<A extends BareAddressOf<Addresses>>(address: A): Promise<void>;
  /** Sends to one consumer of the address; resolves when the outbox has it. */
  send<A extends AddressOf<Addresses>>(
    address: A,
    body: BodyOf<Addresses, A>,
    options?: DeliveryOptions,
  ): Promise<void>;
  send<A extends BareAddressOf<Addresses>>(address: A): Promise<void>;
  /** Sends to one consumer of the address and resolves to its reply. */
  request<R = never, A extends AddressOf<Addresses> = AddressOf<Addresses>>(
    address: A,
    body: BodyOf<Addresses, A>,
    options?: RequestOptions,
  ): Promise<Message<[R] extends [never] ? ReplyOf<Addresses, A> : R>>;
  request<R = never, A extends BareAddressOf<Addresses> = BareAddressOf<Addresses>>(
    address: A,
  ): Promise<Message<[R] extends [never] ? ReplyOf<Addresses, A> : R>>;

  /** Consumes a pattern of addresses, over all reconnects. */
  consumer<T = any>(
    pattern: string,
    handler: (message: Message<T>) => unknown,
    options: ConsumerOptions & { pattern: true },
  ): Consumer<T>;
  consumer<T = any>(pattern: string, options: ConsumerOptions & { pattern: true }): Consumer<T>;
  /** Consumes an address, over all reconnects. Without a handler it is iterated. */
  consumer<T = never, A extends AddressOf<Addresses> = AddressOf<Addresses>>(
    address: A,
    handler: (message: Message<[T] extends [never] ? BodyOf<Addresses, A> : T, ReplyOf<Addresses, A>>) => unknown,
    options?: ConsumerOptions,
  ): Consumer<[T] extends [never] ? BodyOf<Addresses, A> : T, ReplyOf<Addresses, A>>;
  consumer<T = never, A extends AddressOf<Addresses> = AddressOf<Addresses>>(
    address: A,
    options?: ConsumerOptions,
  ): Consumer<[T] extends [never] ? BodyOf<Addresses, A> : T, ReplyOf<Addresses, A>>;

  /** Drops the connection and opens another at once; with transports uses those from now on. */
  reconnect(transports?: Transport | Transport[]): void;
  /** Ends the connection for good; what waits while it stands is sent first. Resolves when it is closed. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
  [Symbol.dispose](): void;

  /** Headers to go with every message; those of the message win. */
  defaultHeaders: HeadersInit | null;

  addEventListener<Type extends keyof BusEvents>(
    type: Type,
    listener: ((event: BusEvent<Type>) => unknown) | null,
    options?: boolean | { capture?: boolean; once?: boolean; passive?: boolean; signal?: AbortSignal },
  ): void;
  removeEventListener<Type extends keyof BusEvents>(
    type: Type,
    listener: ((event: BusEvent<Type>) => unknown) | null,
    options?: boolean | { capture?: boolean },
  ): void;
  dispatchEvent(event: Event): boolean;

  onstate?: ((status: BusEvents["state"]) => unknown) | null;
  onopen?: ((status: BusEvents["open"]) => unknown) | null;
  onclose?: ((event: BusEvents["close"]) => unknown) | null;
  onerror?: ((error: BusEvents["error"]) => unknown) | null;
  onunhandled?: ((envelope: BusEvents["unhandled"]) => unknown) | null;
}

/**
 * Opens a bus and resolves when its connection stands. Attempts go on until then; it rejects with
 * `CLOSED` when the bus is closed for good, and with the signal's reason when that is first.
 *
 * ```ts
 * const bus = await connect("/eventbus", { signal: AbortSignal.timeout(10_000) });
 * ```
 */
export function connect<Addresses extends object = Anything>(
  url: string | URL,
  options?: ConnectOptions,
): Promise<EventBus<Addresses>>;
