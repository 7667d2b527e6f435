// The least event bus that the works need, the same for every peer: who registered for what, an
// echo, and Vert.x's envelopes.

const consumers = new Map();

/** One connection of a peer; `send` takes an object. */
export class Connection {
  #send;
  #addresses = new Set();

  constructor(send) {
    this.#send = send;
  }

  receive({ type, address, body, replyAddress }) {
    if (type === "send") {
      this.#answer(address, body, replyAddress);
    } else if (type === "publish") {
      for (const send of consumers.get(address) ?? []) {
        send(address, body);
      }
    } else if (type === "register") {
      this.#addresses.add(address);
      if (!consumers.has(address)) {
        consumers.set(address, new Set());
      }
      consumers.get(address).add(this.#deliver);
    }
  }

  close() {
    for (const address of this.#addresses) {
      const left = consumers.get(address);
      left?.delete(this.#deliver);
      if (left?.size === 0) {
        consumers.delete(address);
      }
    }
  }

  #deliver = (address, body) => this.#send({ type: "rec", address, body });

  #answer(address, body, replyAddress) {
    if (address === "echo") {
      this.#send({ type: "rec", address: replyAddress, body });
    } else if (replyAddress !== undefined) {
      const message = `No handlers for address ${address}`;
      const failure = { failureCode: -1, failureType: "NO_HANDLERS", message };
      this.#send({ type: "err", address: replyAddress, ...failure });
    }
  }
}

/** A text that is the same for all consumers is made once, as a careful author would do it. */
export function sharedText() {
  let last = { address: undefined, body: undefined, text: "" };
  return (envelope) => {
    if (envelope.type !== "rec" || envelope.body !== last.body || envelope.address !== last.address) {
      last = { address: envelope.address, body: envelope.body, text: JSON.stringify(envelope) };
    }
    return last.text;
  };
}

/** Listens on the port that is the first argument, as every peer does; ends on SIGTERM. */
export function ready(server) {
  server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", 4096, () => {
    console.log(`ready http://127.0.0.1:${server.address().port}/eventbus`);
  });
  process.on("SIGTERM", () => process.exit(0));
}
