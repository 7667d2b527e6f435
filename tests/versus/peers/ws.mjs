// `ws` with envelopes and nothing below them; no compression, which is its default.

import http from "node:http";
import { WebSocketServer } from "ws";
import { Connection, ready, sharedText } from "./bus.mjs";

const text = sharedText();
const server = http.createServer();
new WebSocketServer({ server, path: "/eventbus/websocket" }).on("connection", (socket) => {
  const connection = new Connection((envelope) => socket.send(text(envelope)));
  socket.on("message", (message) => connection.receive(JSON.parse(message)));
  socket.on("close", () => connection.close());
});
ready(server);
