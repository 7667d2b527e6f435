// What `consumer` gives: a registration with its handler, or an iterator over its messages.

import { closedError, safely, toError } from "./error.js";

/** Messages that wait while nobody takes them, at most; the newest is discarded beyond. */
const BUFFER_MAX = 1000;

export class Consumer {
  #handler;
  #max;
  #end;
  #buffer = [];
  #demand = Infinity;
  #more;
  #wake;
  #ended = false;
  #aborted;
  #settled;

  constructor(address, handler, { pattern = false, local, maxBuffered = BUFFER_MAX, signal }, end) {
    this.address = address;
    this.pattern = pattern;
    this.dropped = 0;
    this.#handler = handler;
    this.#max = maxBuffered;
    this.completion = new Promise((resolve, reject) => {
      this.#settled = (error) => (error ? reject(error) : resolve());
    });
    // Who does not look at it is not to be bothered.
    this.completion.catch(() => {});
    if (local) this.#settled();
    const abort = () => {
      this.#aborted = signal;
      this.#settled(signal.reason);
      this.unregister();
    };
    this.#end = () => {
      signal?.removeEventListener("abort", abort);
      end();
    };
    if (signal?.aborted) queueMicrotask(abort);
    else signal?.addEventListener("abort", abort, { once: true });
  }

  pause() {
    this.#demand = 0;
  }

  resume() {
    this.fetch(Infinity);
  }

  fetch(messages) {
    this.#demand += messages;
    while (this.#handler && this.#demand && this.#buffer.length) this.#hand(this.#buffer.shift());
    this.#tell();
  }

  unregister() {
    if (this.#ended) return;
    this.#ended = true;
    this.#end();
    this._settle(closedError("unregistered"));
    for (const message of this.#buffer.splice(0)) discard(message);
    this.#tell();
  }

  _settle(error) {
    this.#settled(error && toError(error));
  }

  _push(message) {
    if (this.#ended) discard(message);
    else if (this.#handler && this.#demand && !this.#buffer.length) this.#hand(message);
    else if (this.#buffer.length >= this.#max) {
      this.dropped += 1;
      discard(message);
    } else {
      this.#buffer.push(message);
      this.#tell();
    }
  }

  #hand(message) {
    this.#demand -= 1;
    safely(this.#handler, message);
  }

  /** To those who iterate. */
  #tell() {
    this.#wake?.();
    this.#more = this.#wake = undefined;
  }

  async *[Symbol.asyncIterator]() {
    try {
      while (true) {
        if (this.#aborted) throw this.#aborted.reason;
        if (this.#demand && this.#buffer.length) {
          this.#demand -= 1;
          yield this.#buffer.shift();
        } else if (this.#ended) return;
        else await (this.#more ??= new Promise((wake) => (this.#wake = wake)));
      }
    } finally {
      this.unregister();
    }
  }
}

const discard = (message) => message.fail(-1, "Discarded the request").catch(() => {});
