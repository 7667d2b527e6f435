// sockjs-node with a bridge, as its README sets it up; logging off.

import http from "node:http";
import sockjs from "sockjs";
import { Connection, ready, sharedText } from "./bus.mjs";

const text = sharedText();
const endpoint = sockjs.createServer({ log: () => {} });
endpoint.on("connection", (socket) => {
  const connection = new Connection((envelope) => socket.write(text(envelope)));
  socket.on("data", (message) => connection.receive(JSON.parse(message)));
  socket.on("close", () => connection.close());
});
const server = http.createServer();
endpoint.installHandlers(server, { prefix: "/eventbus" });
ready(server);
