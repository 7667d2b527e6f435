// A link: what a bus speaks through. This one takes frames and envelopes apart, has the module's
// `Bus` do all that is about the connection, and takes calls before the module is loaded.

import { load } from "./module.js";

/** Commands that wait for the module, at most. */
const WAITING_MAX = 1000;
/** Messages that wait for an old connection, and texts of its messages that are known, at most; as in the machine. */
const OVERLAP_MAX = 10_000;
/** Milliseconds in which a WebSocket's frames say no more than that the server lives. */
const HEARD_AGAIN = 500;

/** What a frame says, as the module's `hear` counts; and its command to fail a request. */
const [OPEN, HEARTBEAT, HEARD, CLOSE, BROKEN, INFO] = [0, 1, 2, 3, 4, 5];
const FAIL = 5;

const asText = (value) => (typeof value === "string" ? value : undefined);

/** What stands in where there is no module: `command` and `lastClose` tell why. */
const broken = (text) =>
  new Proxy({}, { get: (_, name) => () => (name === "command" ? ["CLOSED", -1, "ERROR", text] : [1006, text]) });

/**
 * `observer` gets the notices of `src/convert.rs`, but for those that end here: wishes for a token,
 * messages, the ends of requests. A message is its envelope, with the number of the connection that
 * brought it as `origin` (0 for this client) and the length of its text as `size`. Errors are arrays.
 */
export const openLink = (...given) => new Link(...given);

class Link {
  #bus;
  #observer;
  #waiting = [];
  #wasFull = false;
  #isBare = false;
  #hasToken;
  #isSocket = false;
  #heardAt = 0;
  /** Consumers of what the server sends: by address, and by pattern. */
  #rows = [new Map(), new Map()];
  /** All consumers by their numbers, and those who wait for replies. */
  #consumers = new Map();
  /** While two connections deliver: the old one, the texts that came over it, and what waits for it. */
  #old;
  #requests = new Map();

  constructor(url, options, attempts, observer) {
    const numbers = [
      options.vertxbus_ping_interval,
      options.idleTimeout,
      attempts,
      options.vertxbus_reconnect_delay_min,
      options.vertxbus_reconnect_delay_max,
      options.vertxbus_reconnect_exponent,
      options.vertxbus_randomization_factor,
      options.outboxLimit,
      options.outboxBytes,
      options.climbAfter,
      options.outboxPolicy === "drop_oldest" ? 1 : 0,
    ];
    const { transports = [], token } = options;
    this.#observer = observer;
    this.#hasToken = token !== undefined;
    const notice = (parts) => (parts[0] === 7 ? giveToken(this.#bus, token) : this.#notice(...parts));
    const take = (link, what, text) => (what ? this.#info(link, text) : this.#frame(link, text));
    take.WebSocket = options.WebSocket;
    load().then(
      (Bus) => {
        const given = numbers.map((number) => number ?? NaN);
        this.#begin(new Bus(String(url), String(transports), this.#hasToken, notice, take, ...given));
      },
      (error) => {
        this.#begin(broken(String(error)));
        observer([3]);
      },
    );
  }

  /**
   * Gives its error when it is turned down; one that had to wait for the module gives it to `done`,
   * else to the observer. `done` is called once a request ends, with a message, or without and an error.
   */
  command(operation, origin, address, body, headers, local, number, done) {
    const give = (bus) => {
      const begun = bus.command(operation, origin, address, body, headers, local, number);
      if (!(begun > 0)) return begun;
      done.request = begun;
      this.#requests.set(begun, done);
    };
    if (this.#bus && !this.#waiting.length) return give(this.#bus);
    this.#wasFull ||= this.#waiting.length >= WAITING_MAX;
    if (this.#wasFull) return ["OVERFLOW", -1, "ERROR", "too much waits for the module"];
    this.#waiting.push((bus) => {
      const error = !done?.given && give(bus);
      // It goes on waiting.
      if (error?.[0] === "OVERFLOW") return true;
      if (error) done ? done(undefined, error) : this.#observer([4, "", 0, error]);
    });
  }

  /** Gives up the request that ends with `done`. */
  cancel(done) {
    done.given = true;
    if (this.#requests.delete(done.request)) this.#bus.cancel(done.request);
  }

  register(address, local, pattern, overflow, take) {
    const consumer = { take };
    this.#soon((bus) => {
      const id = bus.register(address, local, pattern, overflow);
      const row = this.#rows[+pattern];
      this.#consumers.set(id, take);
      if (!local) row.set(address, [...(row.get(address) ?? []), take]);
      consumer.end = () => {
        bus.unregister(id);
        this.#consumers.delete(id);
        const others = row.get(address)?.filter((other) => other !== take);
        if (others?.length) row.set(address, others);
        else row.delete(address);
      };
    });
    return consumer;
  }

  unregister(consumer) {
    this.#soon(() => consumer.end());
  }

  lastClose() {
    return this.#bus.lastClose();
  }

  reconnect(transports) {
    this.#soon((bus) => bus.reconnect(transports));
  }

  limitAttempts(attempts) {
    this.#soon((bus) => bus.limitAttempts(attempts));
  }

  close() {
    this.#soon((bus) => {
      bus.close();
      this.#flush();
    });
  }

  /** From now on every envelope is a notice 5, as a text, but errors that the connection mends. */
  handOver() {
    this.#isBare = true;
    this.#soon((bus) => bus.handOver());
  }

  /** Sends an envelope as it is, over this connection or never. */
  say(envelope) {
    return this.#bus.say(envelope);
  }

  pingEvery(interval) {
    this.#soon((bus) => bus.pingEvery(interval));
  }

  #begin(bus) {
    this.#bus = bus;
    this.#flush();
  }

  #flush() {
    for (let call; (call = this.#waiting.shift()); )
      if (call(this.#bus) === true) return void this.#waiting.unshift(call);
    if (!this.#wasFull) return;
    this.#wasFull = false;
    this.#observer([8]);
  }

  #soon(call) {
    if (this.#bus) call(this.#bus);
    else this.#waiting.push(call);
  }

  #notice(kind, text, number, more) {
    if (kind === 12) this.#overlap(number);
    else if (kind < 9) {
      if (kind === 8) this.#flush();
      if (kind === 1) this.#isSocket = text === "websocket";
      this.#observer([kind, text, number, more]);
    } else if (kind === 9) this.#consumers.get(number)?.(toEnvelope(more));
    else if (kind === 10) this.#end(number, toEnvelope(more));
    else this.#end(number, undefined, more);
  }

  #end(request, message, error) {
    const done = this.#requests.get(request);
    this.#requests.delete(request);
    done?.(message, error);
  }

  #info(link, text) {
    let info;
    try {
      info = JSON.parse(text);
    } catch {
      // What cannot be read counts as not said.
    }
    this.#bus.hear(link, INFO, asText(info?.base_url) ?? "", info?.websocket === false ? 0 : 1);
  }

  #frame(link, text) {
    const letter = text[0];
    let parts;
    try {
      if (letter === "a" || letter === "c") parts = JSON.parse(text.slice(1));
    } catch {
      // It is broken.
    }
    const isList = Array.isArray(parts);
    if (isList && letter === "a") return this.#envelopes(link, parts);
    let [what, code, reason] = [BROKEN, 0, ""];
    if (text === "o") what = OPEN;
    // A stream begins with a long line of them.
    else if (letter === "h") what = text === "h" ? HEARTBEAT : HEARD;
    else if (isList && parts[0] === parts[0] >>> 0) {
      what = CLOSE;
      [code, reason] = parts;
    }
    if (text) this.#bus.hear(link, what, String(reason), code);
  }

  #envelopes(link, texts) {
    const now = Date.now();
    if (!this.#isSocket || now - this.#heardAt > HEARD_AGAIN) {
      this.#heardAt = now;
      this.#bus.hear(link, HEARD, "", 0);
    }
    for (const text of texts) this.#envelope(link, text);
  }

  /** A number above zero is the old link, below zero tells that it is drained, zero the end. */
  #overlap(number) {
    if (number > 0) this.#old = { link: number, texts: [], held: [] };
    else this.#letGo();
    if (!number) this.#old = undefined;
  }

  /** Gives what was held back, but what came over the old connection. */
  #letGo(more) {
    const { held = [] } = this.#old;
    this.#old.held = undefined;
    for (const call of held) call();
    if (more && this.#old) this.#old.held = [];
  }

  /** Whether a message is held back for the old connection, or came over that before. */
  #isOutOfTurn(link, text, again) {
    const old = this.#old;
    if (link === old.link) {
      if (old.texts.push(text) > OVERLAP_MAX) old.texts.shift();
      return false;
    }
    if (old.held?.length >= OVERLAP_MAX) this.#letGo(true);
    if (old.held) return old.held.push(again) > 0;
    const at = old.texts.indexOf(text);
    if (at >= 0) old.texts.splice(at, 1);
    return at >= 0;
  }

  #envelope(link, text) {
    if (this.#isBare && !(this.#hasToken && isExpired(text))) return this.#observer([5, text]);
    let envelope;
    try {
      envelope = JSON.parse(text);
    } catch (error) {
      return this.#observer([4, "", 0, ["OTHER", -1, "ERROR", `${error}: ${text}`]]);
    }
    const { type, address } = envelope ?? {};
    if (type === "rec" && typeof address === "string") {
      this.#message(link, envelope, text);
    } else if (type === "err") {
      const { body, failureType, failureCode, message } = envelope;
      this.#bus.fail(asText(address) ?? "", asText(body) ?? "", String(failureType), failureCode ?? -1, asText(message));
    } else this.#observer([5, envelope]);
  }

  #message(link, envelope, text) {
    const { address, pattern, replyAddress } = envelope;
    const takers = pattern === undefined ? this.#rows[0].get(address) : this.#rows[1].get(pattern);
    envelope.origin = link;
    envelope.size = text.length;
    if (takers) {
      if (this.#old && this.#isOutOfTurn(link, text, () => this.#message(link, envelope, text))) return;
      takers[0](envelope);
      // Each has a body of its own.
      for (let at = 1; at < takers.length; at += 1) takers[at]({ ...envelope, body: JSON.parse(text).body });
      return;
    }
    const request = this.#bus.answer(address);
    if (request) this.#end(request, envelope);
    else if (request === undefined && replyAddress !== undefined)
      this.command(FAIL, link, replyAddress, "Discarded the request: nobody consumes the address any more", "", false, -1);
  }
}

/** An error that the connection mends by a new token. */
const isExpired = (text) => text.startsWith('{"type":"err"') && text.includes('"token_expired"');

const toEnvelope = ([address, body, pairs, replyAddress, pattern]) => {
  const headers = {};
  const texts = pairs.split("\0");
  for (let at = 0; at + 1 < texts.length; at += 2) {
    const [name, value] = [texts[at], texts[at + 1]];
    const known = Object.hasOwn(headers, name) ? [].concat(headers[name], value) : value;
    // A plain assignment would not make a header of every name.
    Object.defineProperty(headers, name, { value: known, enumerable: true, configurable: true, writable: true });
  }
  return { address, body: JSON.parse(body), headers, replyAddress, pattern, origin: 0, size: body.length };
};

const giveToken = async (bus, token) => {
  let [ok, text, left] = [true, "", NaN];
  try {
    text = String((typeof token === "function" ? await token() : token) ?? "");
    left = millisecondsLeft(text);
  } catch (error) {
    [ok, text] = [false, String(error)];
  }
  bus.token(ok, text, left);
};

/** How long a JSON Web Token is still good, where it says so. */
const millisecondsLeft = (token) => {
  try {
    const claims = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(atob(claims)).exp * 1000 - Date.now();
  } catch {
    return NaN;
  }
};
