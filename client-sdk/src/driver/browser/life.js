// The life of a page or worker: its one timer, when it goes and comes back, and the network. What a
// world does not have, such as the document in a worker, is passed over. `io.rs` knows the numbers.

const [TIME, AWAY, BACK, OFFLINE] = [6, 8, 9, 10];

/** Browsers hold back the timers of hidden pages, up to a minute, but not those of workers. */
const TICKER = "onmessage=e=>setTimeout(postMessage,e.data,0)";

export class Life {
  #tell;
  #timer;
  #ticker;
  #end = new AbortController();

  constructor(tell) {
    const { document, navigator } = globalThis;
    const { signal } = this.#end;
    this.#tell = (what) => tell(0, what, "", 0);
    const on = (target, type, react) => target?.addEventListener?.(type, react, { signal });
    const away = () => this.#tell(AWAY);
    const back = () => this.#tell(navigator?.onLine === false ? OFFLINE : BACK);
    for (const type of ["online", "offline", "pageshow"]) on(globalThis, type, back);
    on(globalThis, "pagehide", away);
    on(document, "freeze", away);
    on(document, "resume", back);
    on(document, "visibilitychange", () => document.hidden || back());
  }

  /** Sets the one timer; below zero there is none. */
  wake(wait) {
    clearTimeout(this.#timer);
    this.#ticker?.terminate();
    this.#ticker = undefined;
    if (wait < 0) return;
    const ring = () => this.#tell(TIME);
    this.#timer = setTimeout(ring, wait);
    if (!globalThis.document?.hidden) return;
    try {
      const url = URL.createObjectURL(new Blob([TICKER]));
      this.#ticker = new Worker(url);
      URL.revokeObjectURL(url);
      this.#ticker.onmessage = ring;
      this.#ticker.postMessage(wait);
    } catch {
      // Where there are no workers the timer has to do.
    }
  }

  /** Nothing more is told. */
  end() {
    this.#end.abort();
    this.wake(-1);
  }
}
