// A Vert.x bridge that is not ours, in the test's own process: SockJS by sockjs-node, and the envelopes
// by what is written about them. It knows none of our extensions, tells what it heard, and says
// whatever a test wants said.

import { createServer } from "node:http";
import { createRequire } from "node:module";

const sockjs = createRequire(import.meta.url)("sockjs");

/** Longest reply address that bridges take. */
const REPLY_ADDRESS_MAX = 36;

/** One client's connection. */
class Socket {
  addresses = new Set();
  /** Envelopes in the order in which they came. */
  heard = [];

  constructor(connection) {
    this.connection = connection;
  }

  say(envelope) {
    this.connection.write(typeof envelope === "string" ? envelope : JSON.stringify(envelope));
  }

  refuse(body) {
    this.say({ type: "err", body });
  }
}

class Bridge {
  sockets = new Set();
  /** Whose request an awaited reply answers: by reply address, the socket and its own reply address. */
  #awaited = new Map();
  #replies = 0;
  #turns = 0;

  accept(connection) {
    // sockjs-node gives null for a socket that was gone at once.
    if (!connection) return;
    const socket = new Socket(connection);
    this.sockets.add(socket);
    connection.on("data", (text) => this.#hear(socket, text));
    connection.on("close", () => this.sockets.delete(socket));
  }

  #hear(socket, text) {
    let envelope;
    try {
      envelope = JSON.parse(text);
    } catch {
      return socket.refuse("invalid_json");
    }
    if (typeof envelope !== "object" || envelope === null || Array.isArray(envelope))
      return socket.refuse("invalid_json");
    socket.heard.push(envelope);
    if (envelope.type == null) return socket.refuse("missing_type");
    if (envelope.type === "ping") return;
    if (envelope.address == null) return socket.refuse("missing_address");
    const perform = this[`_${envelope.type}`];
    if (!perform) return socket.refuse("invalid_type");
    perform.call(this, socket, { ...envelope, address: String(envelope.address) });
  }

  _register(socket, { address }) {
    if (socket.addresses.has(address)) return socket.refuse("address_already_registered");
    socket.addresses.add(address);
  }

  _unregister(socket, { address }) {
    socket.addresses.delete(address);
  }

  _publish(_, envelope) {
    for (const socket of this.#consumers(envelope.address)) socket.say(message(envelope));
  }

  _send(socket, envelope) {
    const { address, replyAddress } = envelope;
    if (replyAddress?.length > REPLY_ADDRESS_MAX) return socket.refuse("invalid_reply_address");
    // Rules of its own: this address is forbidden.
    if (address.startsWith("forbidden")) return socket.refuse("access_denied");
    const awaited = this.#awaited.get(address);
    this.#awaited.delete(address);
    const consumers = this.#consumers(address);
    const back = replyAddress && this.#expectReply(socket, replyAddress);
    if (awaited) awaited.socket.say(message({ ...envelope, address: awaited.replyAddress }, back));
    else if (consumers.length) consumers[this.#turns++ % consumers.length].say(message(envelope, back));
    else if (replyAddress) socket.say(noHandlers(replyAddress, address));
  }

  #consumers(address) {
    return [...this.sockets].filter((socket) => socket.addresses.has(address));
  }

  #expectReply(socket, replyAddress) {
    const address = `__vertx.reply.${(this.#replies += 1)}`;
    this.#awaited.set(address, { socket, replyAddress });
    return address;
  }
}

/** What a receiver sees; `replyAddress` and `headers` only where there is something in them. */
const message = ({ address, body = null, headers = {} }, replyAddress) => {
  const texts = Object.entries(headers).map(([name, value]) => [name, asText(value)]);
  return {
    type: "rec",
    address,
    body,
    ...(replyAddress && { replyAddress }),
    ...(texts.length && { headers: Object.fromEntries(texts) }),
  };
};

const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value));

const noHandlers = (replyAddress, address) => ({
  type: "err",
  address: replyAddress,
  failureCode: -1,
  failureType: "NO_HANDLERS",
  message: `No handlers for address ${address}`,
});

/** A running bridge under `/eventbus`, and under any name before that; with its sockets. */
export async function independentBridge() {
  const bridge = new Bridge();
  const service = sockjs.createServer({ prefix: "(?:/[a-z0-9-]+)?/eventbus", log: () => {} });
  service.on("connection", (connection) => bridge.accept(connection));
  const server = createServer();
  service.installHandlers(server);
  const sockets = new Set();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    origin,
    sockets: bridge.sockets,
    stop: () => {
      sockets.forEach((socket) => socket.destroy());
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
