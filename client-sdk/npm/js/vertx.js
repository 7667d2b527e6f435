// The stand-in for `@vertx/eventbus-bridge-client.js`: its class, over our connection. What differs
// is in docs/migrating.md, and tests/interop/vertx-behaviour.mjs holds us to it.

const sdk = import("./index.js");
// Who waits for a connection is told; nobody need handle it here.
sdk.catch(() => {});

const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];

/** Vert.x's client has no bounds; these leave room for a burst, and none for a leak. */
const DEFAULTS = {
  vertxbus_ping_interval: 5000,
  vertxbus_reconnect_attempts_max: Infinity,
  vertxbus_reconnect_delay_min: 1000,
  vertxbus_reconnect_delay_max: 5000,
  vertxbus_reconnect_exponent: 2,
  vertxbus_randomization_factor: 0.5,
  requestTimeout: 300_000,
  outboxLimit: 100_000,
  outboxBytes: 64 << 20,
  keepHandlers: true,
};

/** The longest time that `setTimeout` knows. */
const TIMEOUT_MAX = 2 ** 31 - 1;

export default class EventBus {
  static CONNECTING = CONNECTING;
  static OPEN = OPEN;
  static CLOSING = CLOSING;
  static CLOSED = CLOSED;

  state = CONNECTING;
  /** Callbacks by address, and those that wait for replies by reply address. */
  handlers = Object.create(null);
  replyHandlers = Object.create(null);
  defaultHeaders = null;
  reconnectEnabled = false;
  reconnectAttempts = 0;

  #url;
  #options;
  #link;
  /** What the bus knows of each address besides its handlers, see `Registration`. */
  #registrations = new Map();
  #transport = null;
  #isWaiting = false;
  #hasRetried = false;
  #isSilent = false;
  /** Attempts that the connection counts and we do not, because it was open in between. */
  #spent = 0;

  constructor(url, options) {
    const given = Object.entries(options ?? {}).filter(([, value]) => value != null);
    this.#url = url;
    this.#options = { ...DEFAULTS, ...Object.fromEntries(given) };
    this.pingInterval = this.#options.vertxbus_ping_interval;
    this.maxReconnectAttempts = this.#options.vertxbus_reconnect_attempts_max;
    this.reconnectDelayMin = this.#options.vertxbus_reconnect_delay_min;
    this.reconnectDelayMax = this.#options.vertxbus_reconnect_delay_max;
    this.reconnectExponent = this.#options.vertxbus_reconnect_exponent;
    this.randomizationFactor = this.#options.vertxbus_randomization_factor;
    // Properties, so that a program can call those that it replaces.
    this.onerror = (error) => console.error(error);
    this.onevent = () => false;
    this.onunhandled = (envelope) => {
      if (envelope?.type === "err") this.onerror(envelope);
      else console.warn("No handler found for message: ", envelope);
    };
    sdk.then(
      (module) => this.#connect(module),
      (error) => this.#lose(CLOSED, 1006, String(error)),
    );
  }

  get sockJSConn() {
    if (this.#isWaiting) return null;
    return {
      url: this.#url,
      readyState: this.state,
      transport: this.#transport,
      send: (text) => this.#say(text),
      close: () => (this.reconnectEnabled ? this.#link?.reconnect() : this.close()),
    };
  }

  send(address, message, headers, callback) {
    this.#needsOpen();
    if (typeof headers === "function") [headers, callback] = [undefined, headers];
    const envelope = { type: "send", address, headers: this.#merged(headers), body: message };
    if (callback) envelope.replyAddress = makeReplyAddress();
    const text = JSON.stringify(envelope);
    if (callback) this.#await(envelope.replyAddress, callback);
    this.#say(text, envelope.replyAddress);
  }

  publish(address, message, headers) {
    this.#needsOpen();
    this.#tell("publish", address, headers, message);
  }

  registerHandler(address, headers, callback) {
    this.#needsOpen();
    if (typeof headers === "function") [headers, callback] = [undefined, headers];
    const list = (this.handlers[address] ??= []);
    const known = this.#registrations.get(String(address));
    const registration = known ?? new Registration(address);
    this.#registrations.set(String(address), registration);
    if (!registration.takesBack(list, callback)) list.push(callback);
    // The bus may have been too early, before a login, and with other headers.
    if (registration.said === BY_THE_BUS) this.#tell("unregister", address, headers);
    if (registration.said === BY_THE_PROGRAM) return;
    [registration.said, registration.headers] = [BY_THE_PROGRAM, headers];
    this.#tell("register", address, headers);
  }

  unregisterHandler(address, headers, callback) {
    this.#needsOpen();
    const list = this.handlers[address];
    if (!list) return;
    if (typeof headers === "function") [headers, callback] = [undefined, headers];
    const at = list.indexOf(callback);
    if (at < 0) return;
    list.splice(at, 1);
    const registration = this.#registrations.get(String(address));
    registration?.forgets(callback);
    if (list.length) return;
    delete this.handlers[address];
    this.#registrations.delete(String(address));
    if (registration?.said) this.#tell("unregister", address, headers);
  }

  close() {
    if (this.state === CLOSED && !this.#isWaiting) return;
    this.reconnectEnabled = false;
    this.state = CLOSING;
    this.#link?.close();
  }

  enablePing(enable) {
    this.#isSilent = !enable;
    this.#link?.pingEvery(enable ? this.pingInterval : 0);
  }

  enableReconnect(enable) {
    this.reconnectEnabled = enable;
    if (!enable && this.#isWaiting) this.reconnectAttempts = 0;
    this.#limitAttempts();
  }

  #connect({ _openLink }) {
    // It was closed before there was anything to close.
    if (this.state === CLOSING) return this.#lose(CLOSED, 1000);
    const attempts = this.reconnectEnabled ? this.maxReconnectAttempts : 0;
    const options = { ...this.#options, vertxbus_ping_interval: this.pingInterval };
    this.#link = _openLink(this.#url, options, attempts, (notice) => this.#notice(notice));
    this.#link.handOver();
  }

  #notice([kind, text, number, more]) {
    if (kind === 5) this.#receive(text);
    else if (kind === 4) this.#fail(more);
    else if (kind === 1) this.#open(text);
    else if (kind > 1) this.#lose(CLOSED, ...this.#link.lastClose(), kind === 2 ? number : 0);
    else if (this.state === OPEN) this.#lose(CONNECTING, ...this.#link.lastClose());
    else if (this.state !== CLOSING) [this.state, this.#isWaiting] = [CONNECTING, false];
  }

  #open(transport) {
    this.#transport = transport;
    // Pings begin anew with each connection.
    if (this.#isSilent) this.enablePing(true);
    this.state = OPEN;
    guard(this.onopen, this);
    if (this.#hasRetried) {
      this.#spent += this.reconnectAttempts;
      this.reconnectAttempts = 0;
      this.#limitAttempts();
      guard(this.onreconnect, this);
    }
    for (const registration of this.#registrations.values()) {
      if (this.state !== OPEN) return;
      if (registration.said || !this.handlers[registration.address]) continue;
      registration.said = BY_THE_BUS;
      this.#tell("register", registration.address, registration.headers);
    }
  }

  /** The connection is gone, or was not to be had; `attempt` is the next one's number, if there is one. */
  #lose(state, code, reason, attempt = 0) {
    const wasClosing = this.state === CLOSING;
    // A wait that was called off is no further loss.
    const isNews = !this.#isWaiting || attempt > 0 || wasClosing;
    [this.state, this.#isWaiting, this.#transport] = [state, attempt > 0, null];
    this.#hasRetried ||= attempt > 0 || state === CONNECTING;
    if (attempt) {
      this.reconnectAttempts += 1;
      // Attempts without a network count here alone.
      this.#spent = Math.max(attempt - this.reconnectAttempts, 0);
      this.#limitAttempts();
    }
    const gone = { failureCode: -1, failureType: "ERROR", message: "the connection went before the reply came" };
    for (const answer of Object.values(this.replyHandlers)) answer(gone);
    if (this.#options.keepHandlers) {
      for (const [address, registration] of this.#registrations)
        registration.outlives(this.handlers[address]);
    } else {
      this.handlers = Object.create(null);
      this.#registrations.clear();
    }
    if (wasClosing) reason = "Normal closure";
    if (isNews) guard(this.onclose, this, { type: "close", code, reason, wasClean: wasClosing });
  }

  #receive(text) {
    let json;
    try {
      json = JSON.parse(text);
    } catch (error) {
      json = { type: "err", failureType: String(error), message: text };
    }
    const { type, address, replyAddress, failureCode, failureType, message, event } = json ?? {};
    if (replyAddress) {
      const reply = (body, headers, callback) => this.send(replyAddress, body, headers, callback);
      Object.defineProperty(json, "reply", { value: reply });
    }
    const isError = type === "err";
    const parts = isError ? [{ failureCode, failureType, message }] : [null, json];
    const list = this.handlers[address];
    if (list) {
      // One of them may end another.
      for (const handler of [...list]) if (list.includes(handler)) guard(handler, undefined, ...parts);
    } else if (this.replyHandlers[address]) {
      this.replyHandlers[address](...parts);
    } else if (!event || !guard(this.onevent, this, event, message)) {
      guard(this.onunhandled, this, json);
    }
  }

  #await(replyAddress, callback) {
    const answer = (...parts) => {
      clearTimeout(timer);
      delete this.replyHandlers[replyAddress];
      guard(callback, undefined, ...parts);
    };
    this.replyHandlers[replyAddress] = answer;
    const late = { failureCode: -1, failureType: "TIMEOUT", message: "no reply in time" };
    const limit = Number(this.#options.requestTimeout);
    const timer = limit > 0 && limit <= TIMEOUT_MAX ? setTimeout(answer, limit, late) : undefined;
  }

  #tell(type, address, headers, body) {
    this.#say(JSON.stringify({ type, address, headers: this.#merged(headers), body }));
  }

  #say(text, replyAddress) {
    const error = this.#link?.say(text);
    if (error) this.#fail(error, replyAddress);
  }

  #fail([, failureCode, failureType, message, word], replyAddress) {
    const failure = { failureCode, failureType, message };
    if (replyAddress) this.replyHandlers[replyAddress](failure);
    else guard(this.onerror, this, { type: "err", body: word ?? message, ...failure });
  }

  #merged(headers) {
    if (!this.defaultHeaders) return headers || {};
    const merged = { ...headers };
    for (const [name, value] of Object.entries(this.defaultHeaders))
      if (merged[name] === undefined) merged[name] = value;
    return merged;
  }

  #limitAttempts() {
    const attempts = this.reconnectEnabled ? this.#spent + Number(this.maxReconnectAttempts) : 0;
    this.#link?.limitAttempts(this.maxReconnectAttempts > 0 ? attempts : 0);
  }

  #needsOpen() {
    if (this.state !== OPEN) throw new Error("INVALID_STATE_ERR");
  }
}

/** Who has registered an address on the present connection. */
const [NOBODY, BY_THE_BUS, BY_THE_PROGRAM] = [0, 1, 2];

/** An address with what `handlers` does not say of it. */
class Registration {
  said = NOBODY;
  headers;
  /** Handlers of the connection before that the program has not registered again. */
  #survivors = [];

  constructor(address) {
    this.address = address;
  }

  outlives(list = []) {
    this.said = NOBODY;
    this.#survivors = [...list];
  }

  forgets(handler) {
    const at = this.#survivors.indexOf(handler);
    if (at >= 0) this.#survivors.splice(at, 1);
    return at >= 0;
  }

  /**
   * Whether `handler` is registered again. Another function stands for all that a program, which
   * makes them anew on each connection, has not registered again.
   */
  takesBack(list, handler) {
    if (this.forgets(handler)) return true;
    for (const old of this.#survivors.splice(0)) list.splice(list.indexOf(old), 1);
    return false;
  }
}

/** What an exception of the application's stops is its own callback alone. */
const guard = (callback, context, ...args) => {
  try {
    return callback?.apply(context, args);
  } catch (error) {
    if (globalThis.reportError) reportError(error);
    else console.error(error);
  }
};

/** 36 characters is what bridges take. */
const makeReplyAddress = () => {
  if (globalThis.crypto?.randomUUID) return crypto.randomUUID();
  const digit = () => Math.floor(Math.random() * 16).toString(16);
  return Array.from({ length: 32 }, digit).join("");
};
