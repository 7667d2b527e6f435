// A program: publishes numbered messages, and ends when the server has handled them all.
// Who runs it with `execFileSync` reads nothing meanwhile.

import { randomBytes } from "node:crypto";
import { WebSocket } from "ws";

const [url, address, count, length] = process.argv.slice(2);
// Compression must not make a trickle of it.
const filling = randomBytes(Number(length)).toString("base64").slice(0, length);
const socket = new WebSocket(url);
const send = (envelope) => socket.send(JSON.stringify(envelope));

socket.once("open", () => {
  for (let number = 1; number <= Number(count); number += 1)
    send({ type: "publish", address, body: { number, filling } });
  send({ type: "send", address: "nobody consumes this", replyAddress: "fence" });
});
socket.once("message", () => socket.close());
