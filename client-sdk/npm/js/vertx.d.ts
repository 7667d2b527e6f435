/**
 * The class of `@vertx/eventbus-bridge-client.js`, over the connection of Trolleybus. Import this in
 * its place; `docs/migrating.md` says what differs.
 */
declare class EventBus {
  static readonly CONNECTING: 0;
  static readonly OPEN: 1;
  static readonly CLOSING: 2;
  static readonly CLOSED: 3;

  /** Begins to connect. @param url The bridge, such as `/eventbus`; relative to the page. */
  constructor(url: string | URL, options?: EventBus.Options | null);

  /** One of the four numbers. `CLOSED` also while it waits to reconnect. */
  state: 0 | 1 | 2 | 3;
  /** Headers to go with everything that is said; those given there win. The object is left alone. */
  defaultHeaders: Record<string, unknown> | null;
  /** The callbacks of each address. To be read. */
  handlers: Record<string, EventBus.HandlerCallback[]>;
  /** What waits for replies, by reply address. To be read. */
  replyHandlers: Record<string, EventBus.ReplyCallback>;
  /** Whether a lost connection is opened again; see {@link enableReconnect}. */
  readonly reconnectEnabled: boolean;
  /** Attempts since the connection was lost. */
  readonly reconnectAttempts: number;
  /** The options as they count. `pingInterval` may be set; it counts from the next `enablePing(true)`. */
  pingInterval: number;
  readonly maxReconnectAttempts: number;
  readonly reconnectDelayMin: number;
  readonly reconnectDelayMax: number;
  readonly reconnectExponent: number;
  readonly randomizationFactor: number;
  /** What can be said of the socket below; null between two attempts. */
  readonly sockJSConn: EventBus.Socket | null;

  /** The connection stands. Here handlers are registered. */
  onopen?: () => void;
  /** The connection was lost, an attempt failed, or the bus was closed. */
  onclose?: (event: EventBus.CloseEvent) => void;
  /** After `onopen`, when an attempt before it had failed or a connection was lost. */
  onreconnect?: () => void;
  /** An error that belongs to no request. By default it goes to the console. */
  onerror: (error: EventBus.ErrorEnvelope) => void;
  /** An envelope with an `event` field, for no address in use; true means handled. */
  onevent: (event: any, message: any) => boolean | void;
  /** An envelope that nothing else takes. By default errors go to `onerror`, others to the console. */
  onunhandled: (envelope: any) => void;

  /** Sends to one consumer. @throws {Error} `INVALID_STATE_ERR` unless open; so do all but the last three. */
  send<R = any>(address: string, message?: unknown, callback?: EventBus.ReplyCallback<R>): void;
  send<R = any>(
    address: string,
    message: unknown,
    headers: Record<string, unknown> | null | undefined,
    callback?: EventBus.ReplyCallback<R>,
  ): void;
  /** Sends to every consumer. */
  publish(address: string, message?: unknown, headers?: Record<string, unknown> | null): void;
  /** Consumes an address; it lasts over reconnects, until its replacement is registered. */
  registerHandler<T = any>(address: string, callback: EventBus.HandlerCallback<T>): void;
  registerHandler<T = any>(
    address: string,
    headers: Record<string, unknown> | null | undefined,
    callback: EventBus.HandlerCallback<T>,
  ): void;
  /** Ends what was begun with the same function. */
  unregisterHandler<T = any>(address: string, callback: EventBus.HandlerCallback<T>): void;
  unregisterHandler<T = any>(
    address: string,
    headers: Record<string, unknown> | null | undefined,
    callback: EventBus.HandlerCallback<T>,
  ): void;

  /** Ends the connection for good, also while it waits to reconnect. */
  close(): void;
  /** True pings at once and then at intervals; false stops it for this connection. */
  enablePing(enable: boolean): void;
  /** Whether a lost connection is opened again, which it is not by default; false also ends a wait. */
  enableReconnect(enable: boolean): void;
}

declare namespace EventBus {
  /** Zeros are honoured. Other options of SockJS are ignored. */
  interface Options {
    /** Milliseconds between pings, 5,000 by default; zero or less sends none. */
    vertxbus_ping_interval?: number;
    /** Failed attempts in a row before giving up, Infinity by default. */
    vertxbus_reconnect_attempts_max?: number;
    /** The first delay before a reconnect in milliseconds, 1,000 by default. */
    vertxbus_reconnect_delay_min?: number;
    /** The longest delay in milliseconds, 5,000 by default. */
    vertxbus_reconnect_delay_max?: number;
    /** By how much each delay exceeds the one before, 2 by default. */
    vertxbus_reconnect_exponent?: number;
    /** How far a delay may differ, as a share of it, 0.5 by default. */
    vertxbus_randomization_factor?: number;
    /** Transports to try, in this order; all by default. Other names of SockJS are passed over. */
    transports?: string | string[];
    /** Ours: milliseconds until a callback gets `TIMEOUT`, 300,000 by default; zero for never. */
    requestTimeout?: number;
    /** Ours: false forgets all handlers when a connection goes, as Vert.x's client does. */
    keepHandlers?: boolean;
    /** Ours: a token that shows who this is, or what gives one; for a Trolleybus server. */
    token?: string | (() => string | Promise<string>);
    /** Ours: milliseconds a server that sends heartbeats may be silent, 62,500 by default; zero for ever. */
    idleTimeout?: number;
    /** Ours: envelopes that may wait to leave, 100,000 by default. */
    outboxLimit?: number;
    /** Ours: bytes of envelopes that may wait to leave, 64 MiB by default. */
    outboxBytes?: number;
    [other: string]: unknown;
  }

  /** A message or a reply: the envelope as the server sent it. */
  interface Message<T = any> {
    type: "rec";
    /** For a reply, the reply address. */
    address: string;
    body: T;
    headers?: Record<string, string | string[]>;
    /** There when a reply is wanted; so is {@link reply}. */
    replyAddress?: string;
    reply?<R = any>(message?: unknown, callback?: ReplyCallback<R>): void;
    reply?<R = any>(
      message: unknown,
      headers: Record<string, unknown> | null | undefined,
      callback?: ReplyCallback<R>,
    ): void;
  }

  /** Why there is no reply. */
  interface ReplyError {
    failureCode: number;
    failureType: "TIMEOUT" | "NO_HANDLERS" | "RECIPIENT_FAILURE" | "ERROR";
    message: string | null;
  }

  type ReplyCallback<T = any> = (error: ReplyError | null, message?: Message<T>) => void;
  type HandlerCallback<T = any> = (error: ReplyError | null, message: Message<T>) => void;

  interface ErrorEnvelope {
    type: "err";
    /** The bridge's word, such as `access_denied`. */
    body?: string;
    failureCode?: number;
    failureType?: string;
    message?: string;
  }

  interface CloseEvent {
    type: "close";
    /** The SockJS close code; 1006 when the connection just went. */
    code: number;
    reason: string;
    /** Whether this side closed it. */
    wasClean: boolean;
  }

  interface Socket {
    readonly url: string | URL;
    readonly readyState: 0 | 1 | 2 | 3;
    /** Its name while open. */
    readonly transport: string | null;
    /** An envelope of one's own. */
    send(text: string): void;
    /** Loses the connection, which is opened again when reconnecting is enabled. */
    close(): void;
  }
}

export default EventBus;
