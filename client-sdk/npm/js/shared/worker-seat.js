// A tab whose host is a SharedWorker.

import { gone, hold } from "./locks.js";

/** Milliseconds for the worker to answer: Chromium does not always tell that a script is not there. */
const SCRIPT_MAX = 5000;
/** Workers that live for less time are not followed by the next at once, but for the first of them. */
const LIFE_MIN = 1000;

export class WorkerSeat {
  #name;
  #url;
  #lock;
  #settings;
  #link;
  #fail;
  #abort;
  #release;
  #port;

  /** `fail` is called when there is no such worker to be had. */
  constructor({ name, lock, worker, settings }, link, fail) {
    [this.#name, this.#lock, this.#url, this.#settings] = [name, lock, worker, settings];
    [this.#link, this.#fail] = [link, fail];
  }

  async start() {
    const { signal } = (this.#abort = new AbortController());
    try {
      this.#release = await hold(this.#lock, signal);
      for (let short = 0; !signal.aborted; ) {
        const since = performance.now();
        if (!(await this.#meet(signal))) break;
        await gone(`${this.#name} host`, signal);
        this.#link.detach("the worker with the connection is gone");
        short = performance.now() - since < LIFE_MIN ? short + 1 : 0;
        if (short > 1) await new Promise((wake) => setTimeout(wake, LIFE_MIN));
      }
    } catch (error) {
      if (!signal.aborted) console.error(error);
    }
    if (signal.aborted) return;
    this.stop();
    this.#fail();
  }

  /** Leaves; the host hears it from the link, or else by the lock. */
  stop() {
    this.#abort.abort();
    this.#port?.postMessage([["bye"]]);
    this.#port?.close();
    this.#release?.();
    this.#release = undefined;
  }

  /** Whether there is a worker. */
  #meet(signal) {
    return new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve(false));
      const worker = this.#open();
      if (!worker) return resolve(false);
      const timer = setTimeout(() => resolve(false), SCRIPT_MAX);
      worker.onerror = () => resolve(false);
      const port = (this.#port = worker.port);
      port.onmessage = ({ data }) => {
        if (data[0][0] === "welcome") {
          clearTimeout(timer);
          resolve(true);
        } else if (port === this.#port) this.#link.hear(data);
      };
      port.postMessage([this.#lock, this.#settings]);
      this.#link.attach((words) => port.postMessage(words));
    });
  }

  #open() {
    try {
      // Bundlers know this form.
      return this.#url === undefined
        ? new SharedWorker(new URL("./trolleybus-worker.js", import.meta.url), { type: "module", name: this.#name })
        : new SharedWorker(this.#url, { type: "module", name: this.#name });
    } catch {
      return undefined;
    }
  }
}
