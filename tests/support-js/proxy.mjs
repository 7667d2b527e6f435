// A proxy on the way to the server that is as unhelpful as those on real networks.

import { createServer, request as forward } from "node:http";
import { connect } from "node:net";

/**
 * What is done with upgrades: "pass" forwards them, "refuse" answers 403, "swallow" takes the
 * bytes and never answers. "buffer" refuses them, and holds each response until it has ended.
 */
export async function startProxy(origin, mode) {
  const { hostname, port } = new URL(origin);
  const sockets = new Set();
  const server = createServer((request, response) => pass(request, response));

  function pass(request, response) {
    const { method, url, headers } = request;
    const onward = forward({ hostname, port, method, path: url, headers, agent: false }, (answer) => {
      const held = [];
      response.writeHead(answer.statusCode, answer.headers);
      if (mode !== "buffer") {
        response.flushHeaders();
        return answer.pipe(response);
      }
      answer.on("data", (chunk) => held.push(chunk));
      answer.on("end", () => response.end(Buffer.concat(held)));
    });
    // Whichever side goes, the other learns of it.
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  }

  function upgrade(request, socket, head) {
    socket.on("error", () => {});
    if (mode === "swallow") return;
    if (mode !== "pass") return socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    const onward = connect(port, hostname);
    onward.on("error", () => socket.destroy());
    const lines = request.rawHeaders.map((part, at) => (at % 2 ? `${part}\r\n` : `${part}: `));
    onward.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join("")}\r\n`);
    onward.write(head);
    socket.pipe(onward).pipe(socket);
  }

  server.on("upgrade", upgrade);
  server.on("connection", (socket) => {
    socket.setNoDelay();
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    /** From now on it is in another mode. */
    become: (next) => (mode = next),
    /** All connections break. */
    cut: () => sockets.forEach((socket) => socket.destroy()),
    stop: () => {
      sockets.forEach((socket) => socket.destroy());
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
