// Socket.IO: events with objects, and rooms for addresses, which encode a message once for all.

import http from "node:http";
import { Server } from "socket.io";
import { ready } from "./bus.mjs";

const server = http.createServer();
const io = new Server(server, { path: "/eventbus/", serveClient: false });
io.on("connection", (socket) => {
  socket.on("m", ({ type, address, body, replyAddress }) => {
    if (type === "send" && address === "echo") {
      socket.emit("m", { type: "rec", address: replyAddress, body });
    } else if (type === "send") {
      socket.emit("m", { type: "err", address: replyAddress, failureType: "NO_HANDLERS" });
    } else if (type === "publish") {
      io.to(address).emit("m", { type: "rec", address, body });
    } else if (type === "register") {
      socket.join(address);
    }
  });
});
ready(server);
