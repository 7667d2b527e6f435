/** Any JSON value. `undefined` travels as `null`. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Headers of a message. A name with several values has an array. Values that are no strings travel as their JSON text. */
export type Headers = Record<string, string | string[]>;

/** Headers as they may be given. */
export type HeadersInit = Record<string, unknown>;

/** The transports, best first. */
export type Transport = "websocket" | "xhr-streaming" | "eventsource" | "xhr-polling";

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
}

/** Settings of a bus. Names with `vertxbus_` are those of Vert.x; zeros are honoured in all of them. */
export interface Options {
  /** Transports to try, in this order; all four by default. */
  transports?: Transport[];
  /** Whether a lost connection is opened again. True by default. */
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
  /** The first delay before a reconnect in milliseconds: 500 by default. */
  vertxbus_reconnect_delay_min?: number;
  /** The longest delay in milliseconds: 30,000 by default. */
  vertxbus_reconnect_delay_max?: number;
  /** By how much each delay exceeds the one before, 2 by default. */
  vertxbus_reconnect_exponent?: number;
  /** How far a delay may differ from the computed one, as a share of it, 0.5 by default. */
  vertxbus_randomization_factor?: number;
  /** Milliseconds a server that sends heartbeats may be silent, 62,500 by default; zero for ever. */
  idleTimeout?: number;
  /** Messages that may wait for the connection, 1,000 by default. One more throws `OVERFLOW`. */
  outboxLimit?: number;
  /** Bytes of messages that may wait for the connection, 1 MiB by default. */
  outboxBytes?: number;
}

/** Why an operation failed, for decisions. */
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

/** What requests reject with, and what a full or closed bus throws. */
export class BusError extends Error {
  constructor(kind: ErrorKind, failureCode: number, failureType: FailureType, message?: string, word?: string);
  readonly name: "BusError";
  /** `CONNECTION_LOST` means that nobody knows whether the request was served. */
  readonly kind: ErrorKind;
  /** The recipient's own code, the refusal's code, or -1. */
  readonly failureCode: number;
  readonly failureType: FailureType;
  /** The bridge's word when it refused, such as `access_denied`. */
  readonly word?: string;
}

/** A message as a consumer gets it, or a reply. */
export interface Message<T = any> {
  readonly type: "rec";
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
   * Replies; does nothing when no reply is wanted. Only the first reply counts. A callback asks for
   * a reply to the reply, as in Vert.x.
   * @throws {BusError} `CLOSED` when the connection that brought the message is gone.
   */
  reply(body?: unknown, headers?: HeadersInit | DeliveryOptions): void;
  reply<R = any>(body: unknown, callback: ReplyCallback<R>): void;
  reply<R = any>(body: unknown, headers: HeadersInit | undefined, callback: ReplyCallback<R>): void;
  /** Replies, and resolves to the reply to the reply. Rejects with a {@link BusError}. */
  request<R = any>(body?: unknown, options?: RequestOptions): Promise<Message<R>>;
  /** Fails the request with a code and text of the application's own. */
  fail(code: number, text?: string): void;
}

/** What a reply callback gets when there is no reply. */
export interface ReplyError {
  failureCode: number;
  failureType: FailureType;
  message: string;
}

/** As in Vert.x: an error, or null and a message. */
export type ReplyCallback<T = any> = (error: ReplyError | null, message?: Message<T>) => void;

/** As in Vert.x; the error is always null. */
export type HandlerCallback<T = any> = (error: null, message: Message<T>) => void;

/** What `onerror` gets. */
export interface ErrorEnvelope {
  type: "err";
  /** The bridge's word, such as `access_denied`, or a text. */
  body: string;
  failureCode: number;
  failureType: FailureType;
  message: string;
}

/** What `onclose` gets. */
export interface CloseEvent {
  type: "close";
  /** The SockJS close code; 1006 when the connection just went. */
  code: number;
  reason: string;
  wasClean: boolean;
}

/** Where the connection stands. */
export type Status =
  | { name: "connecting" }
  | { name: "open"; transport: Transport }
  | { name: "waiting"; attempt: number; retryIn: number; code: number; reason: string }
  | { name: "closed"; code: number; reason: string };

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
}

/**
 * A registration. Without a handler it is iterated: `for await (const message of consumer)`. What is
 * not taken waits, up to `maxBuffered`; the newest beyond is discarded, which `dropped` counts, and
 * a request among them fails at once.
 */
export interface Consumer<T = any> extends AsyncIterable<Message<T>> {
  readonly address: string;
  /** Whether the address is a pattern. */
  readonly pattern: boolean;
  /** Messages discarded because nobody took them. */
  readonly dropped: number;
  /**
   * Resolves when the server has acknowledged the registration. Rejects with a {@link BusError}:
   * `REFUSED`, `CLOSED` when it ended before, or `TIMEOUT` when the server does not answer within
   * 10 s, as Vert.x does not; the registration may stand all the same. It tells of the first answer
   * only; after a reconnect the registration is made again, and a refusal then comes as `onerror`.
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

/**
 * One connection to an event bus. It connects in the background, falls back from WebSocket to HTTP,
 * reconnects, and registers its consumers again. What is sent while there is no connection waits in
 * a bounded outbox; Vert.x throws `INVALID_STATE_ERR` there.
 */
export class EventBus {
  static readonly CONNECTING: 0;
  static readonly OPEN: 1;
  static readonly CLOSING: 2;
  static readonly CLOSED: 3;

  /** @param url The bridge, such as `/eventbus`; relative to the page. */
  constructor(url: string | URL, options?: Options);

  /** One of the four numbers; `CLOSED` also while it waits to reconnect. */
  readonly state: 0 | 1 | 2 | 3;
  /** The same in full. */
  readonly status: Status;
  /** The transport in use, while open. */
  readonly transport?: Transport;
  /** Resolves when the connection stands; rejects when the bus is closed for good. */
  readonly ready: Promise<void>;
  /** As {@link ready}. */
  opened(): Promise<void>;

  /** Sends to every consumer of the address. @throws {BusError} `OVERFLOW`, `CLOSED`, `BODY`, `HEADERS` */
  publish(address: string, body?: unknown, headersOrOptions?: HeadersInit | DeliveryOptions): void;
  /** Sends to one consumer of the address; with a callback as {@link request}. */
  send(address: string, body?: unknown, headersOrOptions?: HeadersInit | DeliveryOptions): void;
  send<R = any>(address: string, body: unknown, callback: ReplyCallback<R>): void;
  send<R = any>(address: string, body: unknown, headers: HeadersInit | undefined, callback: ReplyCallback<R>): void;
  /** Sends to one consumer and resolves to its reply. Always settles. Rejects with a {@link BusError}. */
  request<R = any>(address: string, body?: unknown, options?: RequestOptions): Promise<Message<R>>;

  /** Consumes an address, or a pattern of addresses, over all reconnects. */
  consumer<T = any>(
    address: string,
    handler?: (message: Message<T>) => unknown,
    options?: ConsumerOptions,
  ): Consumer<T>;

  /**
   * Consumes an address as in Vert.x. It lasts over reconnects; but the first `registerHandler` for
   * the address after a reconnect replaces it, so code that registers in `onopen` works unchanged.
   */
  registerHandler<T = any>(address: string, callback: HandlerCallback<T>): void;
  registerHandler<T = any>(address: string, headers: HeadersInit | undefined, callback: HandlerCallback<T>): void;
  /** Ends what `registerHandler` began with the same function. */
  unregisterHandler<T = any>(address: string, callback: HandlerCallback<T>): void;
  unregisterHandler<T = any>(address: string, headers: HeadersInit | undefined, callback: HandlerCallback<T>): void;

  /** Drops the connection and opens another at once; with transports uses those from now on. */
  reconnect(transports?: Transport | Transport[]): void;
  /** Ends the connection for good; what waits while it stands is sent first. */
  close(): void;
  /** For compatibility; pings are an option of the constructor. */
  enablePing(enable?: boolean): void;
  /** Whether a lost connection is opened again; false also ends a wait. */
  enableReconnect(enable: boolean): void;

  /** Headers to go with every message; those of the message win. */
  defaultHeaders: HeadersInit | null;
  /** The connection stands, the first time or again. */
  onopen?: () => void;
  /** The connection was lost, an attempt failed, or the bus was closed. */
  onclose?: (event: CloseEvent) => void;
  /** An error that belongs to no request, such as a refused registration; else `console.error`. */
  onerror?: (error: ErrorEnvelope) => void;
  /** After `onopen`, each time but the first. */
  onreconnect?: () => void;
  /** Every change of {@link status}. */
  onstate?: (status: Status) => void;
  /** A frame with an `event` field that an application's server wrote; true means handled. */
  onevent?: (event: any, envelope: any) => boolean | void;
  /** Any other frame that is no message; else `console.warn`. */
  onunhandled?: (envelope: any) => void;
}
