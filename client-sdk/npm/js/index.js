// The JavaScript API of Trolleybus: one class over the WebAssembly module beside this file.
// `index.d.ts` documents every export.
import init, { Bus } from "./trolleybus.js";

const module_or_path = new URL("trolleybus_bg.wasm", import.meta.url);
if (module_or_path.protocol === "file:") {
  // Node; the name is in a variable so that no bundler for browsers looks for the module.
  const fs = "node:fs/promises";
  const { readFile } = await import(/* webpackIgnore: true */ /* @vite-ignore */ fs);
  await init({ module_or_path: readFile(module_or_path) });
} else {
  await init({ module_or_path });
}

/** Waiting messages of an iterated consumer, at most; the newest is discarded beyond. */
const BUFFER_MAX = 1000;
const REQUEST_TIMEOUT = 30000;

/** What the module's `command` does, by number. */
const [PUBLISH, SEND, REQUEST, REPLY, REPLY_AND_REQUEST, FAIL] = [0, 1, 2, 3, 4, 5];

export class BusError extends Error {
  constructor(kind, failureCode, failureType, message, word) {
    super(message ?? word ?? failureType);
    this.name = "BusError";
    this.kind = kind;
    this.failureCode = failureCode;
    this.failureType = failureType;
    this.word = word;
  }
}

const toError = (parts) => (Array.isArray(parts) ? new BusError(...parts) : parts);

/** An exception of the application must not stop the bus. */
const safely = (callback, ...args) => {
  try {
    const result = callback?.(...args);
    if (typeof result?.catch === "function") result.catch((error) => console.error(error));
    return result;
  } catch (error) {
    console.error(error);
  }
};

const toText = (body) => JSON.stringify(body) ?? "null";

/** Names and values as one text, a NUL behind each; NUL itself may be in neither. */
const toPairs = (headers) => {
  const texts = [];
  for (const [name, value] of Object.entries(headers ?? {}))
    for (const one of Array.isArray(value) ? value : [value])
      texts.push(name, typeof one === "string" ? one : toText(one));
  if (texts.some((text) => text.includes("\0")))
    throw new BusError("HEADERS", -1, "ERROR", "a header holds NUL");
  return texts.map((text) => text + "\0").join("");
};

const fromPairs = (text) => {
  const headers = {};
  const texts = text.split("\0");
  for (let at = 0; at + 1 < texts.length; at += 2) {
    const [name, value] = [texts[at], texts[at + 1]];
    const known = Object.hasOwn(headers, name) ? [].concat(headers[name], value) : value;
    const shown = { value: known, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(headers, name, shown);
  }
  return headers;
};

/** Takes options as they are, and anything else as headers, which Vert.x has in that place. */
const toOptions = (options) => {
  const { headers, timeout, localOnly, ...others } = options ?? {};
  const isOptions =
    !Object.keys(others).length &&
    [headers, timeout, localOnly].every(
      (value, at) => value === undefined || typeof value === ["object", "number", "boolean"][at],
    );
  return isOptions ? { headers, timeout, localOnly } : { headers: options };
};

export class Message {
  #bus;
  #origin;

  constructor(bus, [address, body, headers, replyAddress, origin]) {
    this.#bus = bus;
    this.#origin = origin;
    this.type = "rec";
    this.address = address;
    this.body = JSON.parse(body);
    this.headers = fromPairs(headers);
    if (replyAddress !== undefined) this.replyAddress = replyAddress;
  }

  /** With a callback as last argument it asks for a reply, as Vert.x has it. */
  reply(body, headers, callback) {
    if (typeof headers === "function") [headers, callback] = [undefined, headers];
    if (callback) {
      settle(this.request(body, toOptions(headers)), callback);
    } else if (this.replyAddress !== undefined) {
      this.#bus._reply(this.#origin, this.replyAddress, body, toOptions(headers));
    }
  }

  request(body, options) {
    return this.#bus._replyAndRequest(this.#origin, this.replyAddress, body, options);
  }

  fail(code, text = "") {
    if (this.replyAddress === undefined) return;
    this.#bus._fail(this.#origin, this.replyAddress, code, text);
  }
}

/** Hands the end of a request to a callback as Vert.x calls it. */
const settle = (promise, callback) => {
  promise.then(
    (message) => safely(callback, null, message),
    ({ failureCode, failureType, message }) =>
      safely(callback, { failureCode, failureType, message }),
  );
};

export class Consumer {
  #end;
  #buffer = [];
  #wake;
  #ended = false;

  constructor(address, end) {
    this.address = address;
    this.dropped = 0;
    this.#end = end;
  }

  unregister() {
    if (this.#ended) return;
    this.#ended = true;
    this.#end();
    for (const message of this.#buffer.splice(0)) discard(message);
    this.#wake?.();
  }

  _push(message) {
    if (this.#buffer.length >= BUFFER_MAX) {
      this.dropped += 1;
      discard(message);
    } else {
      this.#buffer.push(message);
      this.#wake?.();
    }
  }

  async *[Symbol.asyncIterator]() {
    try {
      while (true) {
        if (this.#buffer.length) yield this.#buffer.shift();
        else if (this.#ended) return;
        else await new Promise((wake) => (this.#wake = wake));
      }
    } finally {
      this.unregister();
    }
  }
}

const discard = (message) => safely(() => message.fail(-1, "Discarded the request"));

export class EventBus {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSING = 2;
  static CLOSED = 3;

  state = EventBus.CONNECTING;
  status = { name: "connecting" };
  transport = undefined;
  defaultHeaders = null;
  onopen;
  onclose;
  onerror;
  onreconnect;
  onstate;
  onevent;
  onunhandled;

  #bus;
  #consumers = new Set();
  #handlers = [];
  #waiting = [];
  #opens = 0;
  #attempts;
  #timeout;

  constructor(url, options = {}) {
    this.#attempts = options.vertxbus_reconnect_attempts_max ?? Infinity;
    this.#timeout = options.requestTimeout ?? REQUEST_TIMEOUT;
    const numbers = [
      options.vertxbus_ping_interval,
      options.idleTimeout,
      options.reconnect === false ? 0 : this.#attempts,
      options.vertxbus_reconnect_delay_min,
      options.vertxbus_reconnect_delay_max,
      options.vertxbus_reconnect_exponent,
      options.vertxbus_randomization_factor,
      options.outboxLimit,
      options.outboxBytes,
    ];
    const transports = options.transports ?? [];
    const text = typeof transports === "string" ? transports : transports.join();
    const list = Float64Array.from(numbers, (number) => number ?? NaN);
    this.#bus = new Bus(String(url), text, list, (notice) => this.#notice(notice));
  }

  get ready() {
    return this.opened();
  }

  opened() {
    return new Promise((resolve, reject) => {
      if (this.status.name === "open") resolve();
      else if (this.status.name === "closed") reject(this.#closedError());
      else this.#waiting.push({ resolve, reject });
    });
  }

  publish(address, body, options) {
    const { headers, localOnly } = toOptions(options);
    this.#command(PUBLISH, 0, address, toText(body), headers, localOnly);
  }

  send(address, body, options, callback) {
    if (typeof options === "function") [options, callback] = [undefined, options];
    if (callback) return settle(this.request(address, body, toOptions(options)), callback);
    const { headers, localOnly } = toOptions(options);
    this.#command(SEND, 0, address, toText(body), headers, localOnly);
  }

  request(address, body, options = {}) {
    const { headers, timeout = this.#timeout, localOnly = false } = toOptions(options);
    const text = toText(body);
    return this.#promise((done) =>
      this.#command(REQUEST, 0, address, text, headers, localOnly, timeout, done),
    );
  }

  consumer(address, handler, { local = false } = {}) {
    let id;
    const consumer = new Consumer(address, () => {
      this.#consumers.delete(consumer);
      this.#bus.unregister(id);
    });
    const take = handler ?? ((message) => consumer._push(message));
    id = this.#register(address, local, take);
    this.#consumers.add(consumer);
    if (this.status.name === "closed") consumer.unregister();
    return consumer;
  }

  registerHandler(address, headers, callback) {
    const handler = callback ?? headers;
    this.#dropHandlers((known) => known.address === address && known.opens < this.#opens);
    const id = this.#register(address, false, (message) => handler(null, message));
    this.#handlers.push({ address, handler, id, opens: this.#opens });
  }

  unregisterHandler(address, headers, callback) {
    const handler = callback ?? headers;
    const fits = (known) => known.address === address && known.handler === handler;
    const first = this.#handlers.find(fits);
    if (first) this.#dropHandlers((known) => known === first);
  }

  reconnect(transports) {
    this.#bus.reconnect(transports && [].concat(transports).join());
  }

  close() {
    if (this.state === EventBus.CLOSED && this.status.name === "closed") return;
    this.state = EventBus.CLOSING;
    this.#bus.close();
  }

  /** The bus always pings; it is an option of the constructor now. */
  enablePing() {}

  enableReconnect(enable) {
    this.#bus.limitAttempts(enable ? this.#attempts : 0);
  }

  _reply(origin, to, body, { headers } = {}) {
    this.#command(REPLY, origin, to, toText(body), headers);
  }

  _replyAndRequest(origin, to, body, options) {
    const { headers, timeout = this.#timeout } = toOptions(options);
    if (to === undefined) {
      const text = "the sender wants no reply";
      return Promise.reject(new BusError("CLOSED", -1, "ERROR", text));
    }
    const text = toText(body);
    return this.#promise((done) =>
      this.#command(REPLY_AND_REQUEST, origin, to, text, headers, false, timeout, done),
    );
  }

  _fail(origin, to, code, text) {
    this.#command(FAIL, origin, to, String(text), null, false, code);
  }

  #command(operation, origin, address, text, headers, localOnly = false, number = 0, done) {
    const isFailure = operation === FAIL;
    const pairs = isFailure ? "" : toPairs({ ...this.defaultHeaders, ...headers });
    try {
      this.#bus.command(operation, origin, String(address), text, pairs, localOnly, number, done);
    } catch (error) {
      throw toError(error);
    }
  }

  #promise(start) {
    return new Promise((resolve, reject) => {
      const done = (message, error) => {
        if (error) reject(toError(error));
        else resolve(new Message(this, message));
      };
      start(done);
    });
  }

  #register(address, local, take) {
    return this.#bus.register(address, local, (message) =>
      safely(() => take(new Message(this, message))),
    );
  }

  #dropHandlers(fits) {
    for (const { id } of this.#handlers.filter(fits)) this.#bus.unregister(id);
    this.#handlers = this.#handlers.filter((known) => !fits(known));
  }

  #notice([kind, ...parts]) {
    if (kind === 4) this.#error(toError(parts[0]));
    else if (kind === 5) this.#unhandled(parts[0]);
    else this.#change(kind, parts);
  }

  #change(kind, [first, second]) {
    const wasOpen = this.status.name === "open";
    this.transport = kind === 1 ? first : undefined;
    this.state = kind > 1 ? EventBus.CLOSED : kind;
    const [code, reason] = kind > 1 ? this.#bus.lastClose() : [];
    this.status = [
      () => ({ name: "connecting" }),
      () => ({ name: "open", transport: first }),
      () => ({ name: "waiting", attempt: first, retryIn: second, code, reason }),
      () => ({ name: "closed", code, reason }),
    ][kind]();
    safely(this.onstate, this.status);
    if (kind === 1) this.#open();
    if (kind > 1) this.#lose({ type: "close", code, reason, wasClean: code === 1000 });
    else if (wasOpen && kind === 0) this.#lose({ type: "close", code: 1000, reason: "reconnecting" });
  }

  #open() {
    this.#opens += 1;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    safely(this.onopen);
    if (this.#opens > 1) safely(this.onreconnect);
  }

  #lose(event) {
    if (this.status.name === "closed") {
      for (const { reject } of this.#waiting.splice(0)) reject(this.#closedError());
      for (const consumer of [...this.#consumers]) consumer.unregister();
      this.#dropHandlers(() => true);
    }
    safely(this.onclose, event);
  }

  #closedError() {
    return new BusError("CLOSED", -1, "ERROR", this.status.reason);
  }

  #error(error) {
    const { failureCode, failureType, message } = error;
    const envelope = { type: "err", body: error.word ?? message, failureCode, failureType, message };
    if (this.onerror) safely(this.onerror, envelope);
    else console.error(envelope);
  }

  #unhandled(text) {
    let envelope;
    try {
      envelope = JSON.parse(text);
    } catch (error) {
      return this.#error(new BusError("OTHER", -1, "ERROR", `${error}: ${text}`));
    }
    if (envelope?.event !== undefined && safely(this.onevent, envelope.event, envelope)) return;
    if (this.onunhandled) safely(this.onunhandled, envelope);
    else console.warn("No handler found for message: ", envelope);
  }
}

/** As the class of that name of Vert.x: a lost connection stays lost until `enableReconnect`. */
export default class VertxEventBus extends EventBus {
  constructor(url, options) {
    super(url, { reconnect: false, vertxbus_reconnect_delay_min: 1000, vertxbus_reconnect_delay_max: 5000, ...options });
  }
}
