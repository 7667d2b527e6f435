// The published clients, unmodified, with their callbacks turned into inboxes.

import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { WebSocket } from "ws";
import { Inbox, LIMIT, within } from "./waiting.mjs";

const require = createRequire(import.meta.url);
export const SockJS = require("sockjs-client");
export const EventBus = require("@vertx/eventbus-bridge-client.js");

/** The transports that sockjs-client has under Node. */
export const TRANSPORTS = ["websocket", "xhr-streaming", "eventsource", "xhr-polling"];

/** An address that no other test uses. */
export const address = (name) => `${name}.${randomUUID().slice(0, 8)}`;

/**
 * An open client of the Vert.x bridge, closed at the latest when the test ends; what goes wrong
 * without a callback lands in `errors`.
 */
export async function openBus(t, url, transport = "websocket", options = {}) {
  const bus = new EventBus(url, { transports: [transport], timeout: LIMIT, ...options });
  t.after(() => {
    bus.enableReconnect(false);
    bus.enablePing(false);
    bus.sockJSConn?.close();
  });
  bus.errors = new Inbox("onerror");
  bus.closes = new Inbox("onclose");
  bus.onerror = (error) => bus.errors.push(error);
  const opened = new Promise((resolve, reject) => {
    bus.onopen = resolve;
    bus.onclose = (event) => {
      bus.closes.push(event);
      reject(new Error(`closed with ${event.code} ${event.reason}`));
    };
  });
  await within(opened, `no ${transport} connection`);
  return bus;
}

/** Opens as many clients as there are transports named. */
export const openBuses = (t, url, ...transports) =>
  Promise.all(transports.map((transport) => openBus(t, url, transport)));

/** The answer to a request; its failure is thrown as it came. */
export function request(bus, to, body, headers = {}) {
  const answer = new Promise((resolve, reject) => {
    bus.send(to, body, headers, (failure, message) => (failure ? reject(failure) : resolve(message)));
  });
  return within(answer, `no answer from ${to}`);
}

/** The failure of a request that should fail. */
export async function failure(bus, to, body = null) {
  try {
    await request(bus, to, body);
  } catch (error) {
    if (error instanceof Error) throw error;
    return error;
  }
  throw new Error(`the request to ${to} was answered`);
}

/** Waits until the server has handled all that the client sent before. */
export const settled = (bus) => failure(bus, address("nobody"));

/** An inbox of the messages for an address, once the server knows of it. */
export async function listen(bus, to) {
  const inbox = new Inbox(to);
  inbox.handler = (error, message) => inbox.push(error ?? message);
  bus.registerHandler(to, inbox.handler);
  await settled(bus);
  return inbox;
}

/** What raw sockets and bare SockJS sockets have in common: envelopes out, envelopes in. */
class Wire {
  frames = new Inbox("the socket");
  closes = new Inbox("the closes of the socket");

  send(envelope) {
    this.sendText(typeof envelope === "string" ? envelope : JSON.stringify(envelope));
  }

  /** The next envelope. */
  async next() {
    return JSON.parse(String(await this.frames.next()));
  }

  /** Sends, and gives the next envelope. */
  ask(envelope) {
    this.send(envelope);
    return this.next();
  }

  /** Waits until the server has handled all that was sent before. */
  async settled() {
    const replyAddress = randomUUID();
    const fence = await this.ask({ type: "send", address: address("nobody"), replyAddress });
    if (fence.address !== replyAddress) throw new Error(`unexpected: ${JSON.stringify(fence)}`);
  }
}

/** A bare sockjs-client connection. */
export async function openSockJS(t, url, transports = ["websocket"]) {
  const wire = new Wire();
  const socket = new SockJS(url, null, { transports, timeout: LIMIT });
  t.after(() => socket.close());
  wire.socket = socket;
  wire.sendText = (text) => socket.send(text);
  socket.onmessage = ({ data }) => wire.frames.push(data);
  const opened = new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onclose = (event) => {
      wire.closes.push(event);
      reject(new Error(`closed with ${event.code} ${event.reason}`));
    };
  });
  await within(opened, `no connection over ${transports}`);
  return wire;
}

/** A raw WebSocket, with options of `ws`: one envelope per message. `frames` are buffers; `isBinary` says what the last was. */
export async function openRaw(t, url, options) {
  const wire = new Wire();
  const socket = new WebSocket(url, options);
  wire.socket = socket;
  wire.sendText = (text) => socket.send(text);
  socket.on("message", (data, isBinary) => {
    wire.isBinary = isBinary;
    wire.frames.push(data);
  });
  socket.on("close", (code, reason) => wire.closes.push({ code, reason: String(reason) }));
  t.after(() => socket.terminate());
  const opened = new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  await within(opened, `no WebSocket to ${url}`);
  return wire;
}
