// The bus: one class over a link.

import { Consumer } from "./consumer.js";
import { BusError, closedError, safely, toError, unless } from "./error.js";
import { openLink } from "./link.js";
import { Message, toPairs, toText } from "./message.js";

const REQUEST_TIMEOUT = 30000;
/** Commands that wait for room in the outbox, at most. */
const WAITING_MAX = 1000;

/** What a link's `command` does, by number. */
const [PUBLISH, SEND, REQUEST, REPLY, REPLY_AND_REQUEST, FAIL] = [0, 1, 2, 3, 4, 5];

const DONE = Promise.resolve();

export class EventBus extends EventTarget {
  status = { name: "connecting" };
  defaultHeaders = null;
  onopen;
  onclose;
  onerror;
  onstate;
  onunhandled;

  #link;
  #timeout;
  #canWait;
  #consumers = new Set();
  /** Commands that wait for room. */
  #waiting = [];
  /** Who waits for the next state. */
  #watchers = [];
  /** Events that somebody heard, and what notes it, by listener. */
  #heard = new WeakSet();
  #noting = new WeakMap();

  /** `open` opens another link than the module's own; `link.js` tells what it gives. */
  constructor(url, options = {}, open = openLink) {
    super();
    this.#timeout = options.requestTimeout ?? REQUEST_TIMEOUT;
    this.#canWait = options.outboxPolicy === "wait";
    const attempts = options.reconnect === false ? 0 : (options.vertxbus_reconnect_attempts_max ?? Infinity);
    this.#link = open(url, options, attempts, (notice) => this.#notice(...notice));
  }

  get transport() {
    return this.status.transport;
  }

  get ready() {
    return this.opened();
  }

  async opened({ signal } = {}) {
    for await (const { name, reason } of this.states({ signal })) {
      if (name === "open") return;
      if (name === "closed") throw closedError(reason);
    }
  }

  async *states({ signal } = {}) {
    signal?.throwIfAborted();
    for (let seen; seen?.name !== "closed"; ) {
      if (seen !== this.status) yield (seen = this.status);
      else await unless(signal, new Promise((wake) => this.#watchers.push(wake)));
    }
  }

  publish(address, body, options) {
    return this.#give(PUBLISH, 0, address, body, options);
  }

  send(address, body, options) {
    return this.#give(SEND, 0, address, body, options);
  }

  request(address, body, options) {
    return this.#ask(REQUEST, 0, address, body, options);
  }

  consumer(address, handler, options = {}) {
    if (typeof handler === "object") [handler, options] = [undefined, handler ?? options];
    const { local = false, pattern = false, overflow = "" } = options;
    const consumer = new Consumer(address, handler, options, () => {
      this.#consumers.delete(consumer);
      this.#link.unregister(id);
    });
    this.#consumers.add(consumer);
    const take = (message) => consumer._push(new Message(this, message));
    const id = this.#link.register(address, local, pattern, overflow, take);
    if (this.status.name === "closed") consumer.unregister();
    return consumer;
  }

  addEventListener(type, listener, options) {
    super.addEventListener(type, this.#noted(listener), options);
  }

  removeEventListener(type, listener, options) {
    super.removeEventListener(type, this.#noted(listener), options);
  }

  /** Stands in for a listener, always the same one, so that removing, `once` and signals are the platform's. */
  #noted(listener) {
    if (!listener) return listener;
    let noting = this.#noting.get(listener);
    if (!noting) {
      noting = (event) => {
        this.#heard.add(event);
        if (typeof listener === "function") listener.call(this, event);
        else listener.handleEvent(event);
      };
      // Node removes by itself what it was given here.
      this.#noting.set(listener, noting).set(noting, noting);
    }
    return noting;
  }

  reconnect(transports) {
    this.#link.reconnect(transports && String(transports));
  }

  async close() {
    this.#link.close();
    for await (const _ of this.states());
  }

  _reply(origin, to, body, options) {
    return to === undefined ? DONE : this.#give(REPLY, origin, to, body, options);
  }

  _replyAndRequest(origin, to, body, options) {
    if (to === undefined) return Promise.reject(closedError("the sender wants no reply"));
    return this.#ask(REPLY_AND_REQUEST, origin, to, body, options);
  }

  _fail(origin, to, code, text) {
    if (to === undefined) return DONE;
    return this.#order(() => this.#link.command(FAIL, origin, to, String(text), "", false, code), true);
  }

  #give(operation, origin, address, body, options) {
    return this.#order(this.#command(operation, origin, address, body, options), operation === REPLY);
  }

  #ask(operation, origin, address, body, options = {}) {
    let done;
    const asked = new Promise((resolve, reject) => {
      done = (message, error) => (error ? reject(toError(error)) : resolve(new Message(this, message)));
      const command = this.#command(operation, origin, address, body, { timeout: this.#timeout, ...options }, done);
      if (!options.signal?.aborted) this.#order(() => !done.given && command()).catch(reject);
    });
    return unless(options.signal, asked, () => this.#link.cancel(done));
  }

  /** What gives the command to the link. The body is read now, and the headers. */
  #command(operation, origin, address, body, { headers, localOnly = false, timeout = 0 } = {}, done) {
    try {
      const [text, pairs] = [toText(body), toPairs({ ...this.defaultHeaders, ...headers })];
      return () => this.#link.command(operation, origin, String(address), text, pairs, localOnly, timeout, done);
    } catch (error) {
      return () => error;
    }
  }

  /** Gives a command, when it may wait and there is room; resolves once it was given. */
  #order(command, isReply) {
    const error = this.#waiting.length ? ["OVERFLOW", -1, "ERROR", "the outbox is full"] : command();
    if (!error) return DONE;
    if (error[0] !== "OVERFLOW" || !this.#canWait || this.#waiting.length >= WAITING_MAX) {
      const refused = Promise.reject(toError(error));
      // Who asked is told that the connection went; who answers need not look.
      if (isReply && error[0] === "CLOSED") refused.catch(() => {});
      return refused;
    }
    return new Promise((resolve, reject) => this.#waiting.push({ command, resolve, reject }));
  }

  #room() {
    for (let first; (first = this.#waiting[0]); this.#waiting.shift()) {
      const error = first.command();
      if (error?.[0] === "OVERFLOW") return;
      if (error) first.reject(toError(error));
      else first.resolve();
    }
  }

  #notice(kind, text, number, more) {
    if (kind === 4) this.#error(toError(more));
    else if (kind === 5) this.#unhandled(text);
    else if (kind === 6) this.#registered(text, number === 1, more);
    else if (kind === 8) this.#room();
    else this.#change(kind, text, number, more);
  }

  #registered(address, pattern, error) {
    for (const consumer of this.#consumers)
      if (consumer.address === address && consumer.pattern === pattern) consumer._settle(error);
  }

  #change(kind, transport, attempt, retryIn) {
    const wasOpen = this.status.name === "open";
    const [code, reason] = kind > 1 || wasOpen ? this.#link.lastClose() : [];
    this.status = [
      { name: "connecting" },
      { name: "open", transport },
      { name: "waiting", attempt, retryIn, code, reason },
      { name: "closed", code, reason },
    ][kind];
    if (kind === 3) this.#end();
    for (const wake of this.#watchers.splice(0)) wake();
    this.#emit("state", this.status);
    // It may climb to another transport while it is open.
    if (kind === 1) wasOpen || this.#emit("open", this.status);
    else if (kind || wasOpen) this.#emit("close", { code, reason, wasClean: code === 1000 });
  }

  #end() {
    for (const { reject } of this.#waiting.splice(0)) reject(closedError(this.status.reason));
    for (const consumer of [...this.#consumers]) consumer.unregister();
  }

  #error(error) {
    if (!this.#emit("error", error)) console.error(error);
  }

  #unhandled(envelope) {
    if (!this.#emit("unhandled", envelope)) console.warn("No handler found for message: ", envelope);
  }

  /** Tells whether anybody heard it. */
  #emit(type, detail) {
    const handler = this["on" + type];
    safely(handler, detail);
    const event = Object.assign(new Event(type), { detail });
    this.dispatchEvent(event);
    return handler || this.#heard.has(event);
  }
}

/** Opens a bus, and waits until it is open; closes it when that fails, or takes too long for the signal. */
export const connect = async (url, options) => {
  // Where it cannot be loaded, as in service workers, there is nothing to share.
  const sharing = options?.shared && import("./shared.js").then(({ share }) => share(openLink, url, options), () => {});
  const bus = new EventBus(url, options, (await sharing) || undefined);
  try {
    await bus.opened(options);
  } catch (error) {
    bus.close();
    throw error;
  }
  return bus;
};

for (const Class of [EventBus, Consumer]) {
  const end = Class.prototype.close ?? Class.prototype.unregister;
  for (const name of ["dispose", "asyncDispose"])
    if (Symbol[name])
      Class.prototype[Symbol[name]] = function () {
        return end.call(this);
      };
}
