// The life of a page or worker: its one timer, when it goes and comes back, and the network. What a
// world does not have, such as the document in a worker, is passed over. `io.rs` knows the numbers.

const [TIME, AWAY, BACK, OFFLINE] = [6, 8, 9, 10];

/**
 * Browsers hold back the timers of hidden pages, up to a minute, but not those of workers. A page whose
 * policy forbids it (`worker-src` without `blob:`) has to do without.
 */
const TICKER = "let t;onmessage=e=>{clearTimeout(t);t=setTimeout(postMessage,e.data,0)}";
let isForbidden = false;

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

  /** Sets the one timer; below zero there is none. It may ring early. */
  wake(wait) {
    clearTimeout(this.#timer);
    const ring = () => this.#tell(TIME);
    if (wait >= 0) this.#timer = setTimeout(ring, wait);
    if (wait >= 0 && globalThis.document?.hidden && !isForbidden) this.#tick(wait, ring);
    else {
      this.#ticker?.terminate();
      this.#ticker = undefined;
    }
  }

  #tick(wait, ring) {
    try {
      if (!this.#ticker) {
        const url = URL.createObjectURL(new Blob([TICKER]));
        this.#ticker = new Worker(url);
        URL.revokeObjectURL(url);
        this.#ticker.onmessage = ring;
        this.#ticker.onerror = () => (isForbidden = true);
      }
      this.#ticker.postMessage(wait);
    } catch {
      isForbidden = true;
    }
  }

  /** Nothing more is told. */
  end() {
    this.#end.abort();
    this.wake(-1);
  }
}
