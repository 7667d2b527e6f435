// Messages, and what goes with them: bodies, headers, options.

import { BusError, safely } from "./error.js";

export const toText = (body) => JSON.stringify(body) ?? "null";

/** Names and values as one text, a NUL behind each; NUL itself may be in neither. */
export const toPairs = (headers) => {
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
export const toOptions = (options) => {
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

  constructor(bus, [address, body, headers, replyAddress, origin, pattern, dropped]) {
    this.#bus = bus;
    this.#origin = origin;
    this.type = "rec";
    this.address = address;
    this.body = JSON.parse(body);
    this.headers = fromPairs(headers);
    this.dropped = dropped;
    if (replyAddress !== undefined) this.replyAddress = replyAddress;
    if (pattern !== undefined) this.pattern = pattern;
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
export const settle = (promise, callback) => {
  promise.then(
    (message) => safely(callback, null, message),
    ({ failureCode, failureType, message }) =>
      safely(callback, { failureCode, failureType, message }),
  );
};
