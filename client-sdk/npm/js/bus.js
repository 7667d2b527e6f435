// The bus: one class over the WebAssembly module.

import { Consumer } from "./consumer.js";
import { BusError, safely, toError } from "./error.js";
import { openLink } from "./link.js";
import { Message, settle, toOptions, toPairs, toText } from "./message.js";

const REQUEST_TIMEOUT = 30000;

/** What the module's `command` does, by number. */
const [PUBLISH, SEND, REQUEST, REPLY, REPLY_AND_REQUEST, FAIL] = [0, 1, 2, 3, 4, 5];

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

  #link;
  #consumers = new Set();
  #handlers = [];
  #waiting = [];
  #opens = 0;
  #attempts;
  #timeout;

  /** `open` opens another link than the module's own; `link.js` tells what it gives. */
  constructor(url, options = {}, open = openLink) {
    this.#attempts = options.vertxbus_reconnect_attempts_max ?? Infinity;
    this.#timeout = options.requestTimeout ?? REQUEST_TIMEOUT;
    const attempts = options.reconnect === false ? 0 : this.#attempts;
    this.#link = open(url, options, attempts, (notice) => this.#notice(notice));
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

  consumer(address, handler, options = {}) {
    let id;
    const consumer = new Consumer(address, handler, options, () => {
      this.#consumers.delete(consumer);
      this.#link.unregister(id);
    });
    this.#consumers.add(consumer);
    id = this.#register(address, options, (message) => consumer._push(message));
    if (this.status.name === "closed") consumer.unregister();
    return consumer;
  }

  registerHandler(address, headers, callback) {
    const handler = callback ?? headers;
    this.#dropHandlers((known) => known.address === address && known.opens < this.#opens);
    const id = this.#register(address, {}, (message) => handler(null, message));
    this.#handlers.push({ address, handler, id, opens: this.#opens });
  }

  unregisterHandler(address, headers, callback) {
    const handler = callback ?? headers;
    const fits = (known) => known.address === address && known.handler === handler;
    const first = this.#handlers.find(fits);
    if (first) this.#dropHandlers((known) => known === first);
  }

  reconnect(transports) {
    this.#link.reconnect(transports && [].concat(transports).join());
  }

  close() {
    if (this.state === EventBus.CLOSED && this.status.name === "closed") return;
    this.state = EventBus.CLOSING;
    this.#link.close();
  }

  /** The bus always pings; it is an option of the constructor now. */
  enablePing() {}

  enableReconnect(enable) {
    this.#link.limitAttempts(enable ? this.#attempts : 0);
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
    const to = String(address);
    const error = this.#link.command(operation, origin, to, text, pairs, localOnly, number, done);
    if (error) throw toError(error);
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

  #register(address, { local = false, pattern = false, overflow = "" }, take) {
    return this.#link.register(address, local, pattern, overflow, (message) =>
      safely(() => take(new Message(this, message))),
    );
  }

  #dropHandlers(fits) {
    for (const { id } of this.#handlers.filter(fits)) this.#link.unregister(id);
    this.#handlers = this.#handlers.filter((known) => !fits(known));
  }

  #notice([kind, text, number, more]) {
    if (kind === 4) this.#error(toError(more));
    else if (kind === 5) this.#unhandled(text);
    else if (kind === 6) this.#registered(text, number === 1, more);
    else this.#change(kind, text, number, more);
  }

  #registered(address, pattern, error) {
    for (const consumer of this.#consumers)
      if (consumer.address === address && consumer.pattern === pattern) consumer._settle(error);
  }

  #change(kind, transport, attempt, retryIn) {
    const wasOpen = this.status.name === "open";
    this.transport = kind === 1 ? transport : undefined;
    this.state = kind > 1 ? EventBus.CLOSED : kind;
    const [code, reason] = kind > 1 || wasOpen ? this.#link.lastClose() : [];
    this.status = [
      () => ({ name: "connecting" }),
      () => ({ name: "open", transport }),
      () => ({ name: "waiting", attempt, retryIn, code, reason }),
      () => ({ name: "closed", code, reason }),
    ][kind]();
    safely(this.onstate, this.status);
    if (kind === 1) this.#open();
    if (kind > 1 || wasOpen) this.#lose({ type: "close", code, reason, wasClean: code === 1000 });
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
