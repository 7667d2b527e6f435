// A gate in front of a server: TCP passes, until the gate is shut or all that passes is cut.

import { connect, createServer } from "node:net";

export async function gate(origin) {
  const { hostname, port } = new URL(origin);
  const sockets = new Set();
  let isOpen = true;
  const keep = (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    return socket.setNoDelay();
  };
  const server = createServer((socket) => {
    keep(socket);
    if (!isOpen) return socket.destroy();
    const onward = keep(connect(Number(port), hostname));
    socket.pipe(onward).pipe(socket);
    // Whichever side goes, the other learns of it.
    socket.once("close", () => onward.destroy());
    onward.once("close", () => socket.destroy());
  });
  const cut = () => sockets.forEach((socket) => socket.destroy());
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    /** Ends all connections; others may come. */
    cut,
    /** Ends all connections, and those that come. */
    shut: () => {
      isOpen = false;
      cut();
    },
    open: () => (isOpen = true),
    stop: () => {
      cut();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
