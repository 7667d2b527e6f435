// Who is measured: how each is started, and which form the load speaks to it.

import { readFileSync } from "node:fs";

const here = (file) => new URL(file, import.meta.url).pathname;
const node = (file) => [process.execPath, here(`peers/${file}`), "{port}"];
const locked = JSON.parse(readFileSync(here("package-lock.json"), "utf8")).packages;
const version = (name) => locked[`node_modules/${name}`].version;

/**
 * What `cargo xtask versus` found or built: for each name a program and its version, or why there is none.
 * @type {Record<string, { program?: string, version?: string, absent?: string }>}
 */
const found = JSON.parse(process.env.VERSUS_PEERS ?? "{}");
const built = (name, command) => {
  const { program, version, absent } = found[name] ?? { absent: "nobody built it; `cargo xtask versus` does" };
  return absent ? { absent } : { command: command(program), version };
};

/** The first is ours; `{port}` in a command stands for the port that it shall listen on. */
export const PEERS = [
  {
    name: "trolleybus",
    command: [process.env.TROLLEYBUS_BIN, "demo", "--open-bridge", "--listen", "127.0.0.1:{port}"],
    form: "sockjs",
    compresses: true,
  },
  { name: "sockjs-node", command: node("sockjs-node.mjs"), version: version("sockjs"), form: "sockjs" },
  { name: "ws", command: node("ws.mjs"), version: version("ws"), form: "raw" },
  { name: "socket.io", command: node("socketio.mjs"), version: version("socket.io"), form: "socket-io" },
  { name: "socketioxide", ...built("socketioxide", (program) => [program, "{port}"]), form: "socket-io" },
  {
    name: "nats",
    ...built("nats", (program) => ["env", "PEER_PORT={port}", program, "-c", here("peers/nats.conf")]),
    path: "/",
    form: "nats",
  },
  {
    name: "vertx",
    // The JVM compiles what is hot while it runs.
    warmUp: 3,
    ...built("vertx", (classes) => ["java", "-cp", classes, "Peer", "{port}"]),
    form: "sockjs",
    compresses: true,
  },
  { name: "bare", ...built("bare", (program) => [program, "{port}"]), path: "/", form: "bare" },
  { name: "floor", ...built("floor", (program) => [program, "{port}"]), path: "/", form: "bare", carries: ["xhr-polling", "xhr-streaming"] },
];

/** Not to be had: what they say is how far there is to go. */
export const CEILINGS = ["bare", "floor"];

/** Peers that were wanted and are not in the tables at all. */
export const ELSEWHERE = {
  Centrifugo: "its module was refused by the Go registry when this was written, so there is no peer for it",
};
