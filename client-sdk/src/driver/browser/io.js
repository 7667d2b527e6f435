// What the driver has the browser do: fetch, streams, sockets. Nothing here throws into
// Rust, and nothing is told of what was closed. `io.rs` knows the names and numbers.

const [FRAME, INFO, ENDED, FAILED, SENT, CLOSED, RUN] = [0, 1, 2, 3, 4, 5, 7];

/** A WebSocket with more than this many bytes unsent gets no more. */
const UNSENT_MAX = 256 * 1024;
/** Milliseconds until such a WebSocket is looked at again. */
const UNSENT_RETRY = 20;
/** Browsers let 64 KiB outlive the page; a character is three bytes at most. */
const LAST_WORDS_MAX = 20000;

const request = async (url, init) => {
  const response = await fetch(url, { credentials: "include", cache: "no-store", ...init });
  if (response.status !== 200 && response.status !== 204) throw response;
  return response;
};

/** `/info`, which is told when it is whole, or frames, one on each line. */
const receive = (url, tell, isInfo) => {
  const abort = new AbortController();
  const read = async () => {
    const { body } = await request(url, { signal: abort.signal, method: isInfo ? "GET" : "POST" });
    const [reader, decoder] = [body.getReader(), new TextDecoder()];
    for (let rest = ""; ; ) {
      const { value, done } = await reader.read();
      if (done) return tell(isInfo ? INFO : ENDED, rest);
      rest += decoder.decode(value, { stream: true });
      if (isInfo) continue;
      const lines = rest.split("\n");
      rest = lines.pop();
      for (const line of lines) tell(FRAME, line);
    }
  };
  read().catch(() => tell(FAILED));
  return { close: () => abort.abort() };
};

/** One frame for each event, with `%` escaped. */
const openEvents = (url, tell) => {
  const source = new EventSource(url);
  source.onmessage = ({ data }) => {
    try {
      data = decodeURI(data);
    } catch {
      return tell(FAILED);
    }
    tell(FRAME, data);
  };
  // The browser would ask again by itself, seconds later; the machine does it at once.
  source.onerror = () => tell(source.readyState === EventSource.CONNECTING ? ENDED : FAILED);
  return source;
};

const openSocket = (url, tell, _, Socket = WebSocket) => {
  const socket = new Socket(url);
  socket.onmessage = ({ data }) => typeof data === "string" && tell(FRAME, data);
  // An error is always followed by a close; but the sockets of `ws`, which older Nodes need, end the
  // program when nobody looks at it.
  socket.onerror = () => {};
  socket.onclose = ({ code, reason }) => tell(CLOSED, reason, code);
  return socket;
};

export class Io {
  #tell;
  #receivers = new Map();
  #take;

  /** A random number; from the clock where there is no `crypto`. */
  static seed() {
    return globalThis.crypto?.getRandomValues(new BigUint64Array(1))[0] ?? BigInt(Date.now());
  }

  constructor(tell) {
    this.#tell = (link, what, text = "", code = 0) => tell(link, what, text, code);
  }

  /**
   * Gives frames and `/info` to `take(link, what, text)` and not to Rust, for who can read them. Where it has
   * a `WebSocket`, that is the class for sockets.
   */
  give(take) {
    this.#take = take;
  }

  /** Receives: 0 `/info`, 1 by an HTTP transport, 2 by EventSource, 3 by WebSocket. */
  open(link, kind, url) {
    this.close(link);
    let receiver;
    const tell = (what, text, code) => {
      if (this.#receivers.get(link) !== receiver) return;
      if (what > FRAME && what !== ENDED) this.close(link);
      if (what < ENDED && this.#take) this.#take(link, what, text);
      else this.#tell(link, what, text, code);
    };
    try {
      const open = [receive, receive, openEvents, openSocket][kind];
      this.#receivers.set(link, (receiver = open(url, tell, kind === 0, this.#take?.WebSocket)));
    } catch {
      queueMicrotask(() => tell(FAILED));
    }
  }

  /** Over the WebSocket. */
  send(link, text) {
    const socket = this.#receivers.get(link);
    const look = () => {
      if (socket.bufferedAmount > UNSENT_MAX) setTimeout(look, UNSENT_RETRY);
      else this.#tell(link, SENT);
    };
    try {
      socket.send(text);
      look();
    } catch {
      queueMicrotask(() => this.#tell(link, FAILED));
    }
  }

  /** By HTTP. It outlives its link, and its page too if it is short, so that last words are said. */
  upload(link, url, text) {
    request(url, { method: "POST", body: text, keepalive: text.length < LAST_WORDS_MAX }).then(
      () => this.#tell(link, SENT),
      () => this.#tell(link, FAILED),
    );
  }

  /** Ends the receiving. */
  close(link) {
    const receiver = this.#receivers.get(link);
    // First, because it may tell of its end within the call.
    this.#receivers.delete(link);
    receiver?.close();
  }

  /** Tells when the caller is done. */
  soon() {
    queueMicrotask(() => this.#tell(0, RUN));
  }
}

/** `url` as seen from the page. */
export const absolute = (url) => {
  try {
    return new URL(url, location.href).href;
  } catch {
    return url;
  }
};
