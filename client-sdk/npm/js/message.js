// Messages, and what goes with them: bodies and headers.

import { BusError } from "./error.js";

export const toText = (body) => {
  try {
    return JSON.stringify(body) ?? "null";
  } catch (error) {
    throw new BusError("BODY", -1, "ERROR", String(error));
  }
};

/** Names and values as one text, a NUL behind each; NUL itself may be in neither. */
export const toPairs = (headers) => {
  let pairs = "";
  for (const [name, value] of Object.entries(headers))
    for (const one of Array.isArray(value) ? value : [value])
      for (const text of [name, typeof one === "string" ? one : toText(one)]) {
        if (text.includes("\0")) throw new BusError("HEADERS", -1, "ERROR", "a header holds NUL");
        pairs += text + "\0";
      }
  return pairs;
};

export class Message {
  #bus;
  #origin;

  constructor(bus, { address, body = null, headers = {}, replyAddress, origin, pattern, dropped = 0 }) {
    this.#bus = bus;
    this.#origin = origin;
    this.address = address;
    this.body = body;
    this.headers = headers;
    this.replyAddress = replyAddress;
    this.pattern = pattern;
    this.dropped = dropped;
  }

  reply(body, options) {
    return this.#bus._reply(this.#origin, this.replyAddress, body, options);
  }

  request(body, options) {
    return this.#bus._replyAndRequest(this.#origin, this.replyAddress, body, options);
  }

  fail(code, text = "") {
    return this.#bus._fail(this.#origin, this.replyAddress, code, text);
  }
}
