// What `consumer` gives: the end of a registration, and an iterator over its messages.

import { safely } from "./error.js";

/** Waiting messages of an iterated consumer, at most; the newest is discarded beyond. */
const BUFFER_MAX = 1000;

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
