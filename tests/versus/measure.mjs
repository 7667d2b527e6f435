// One measurement: a peer on its core, the load on another.

import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const SERVER_CORE = "0";
const LOAD_CORE = "1";
/** For server and load together. */
export const TWO_CORES = "0,1";
const START_LIMIT = 30_000;
/** How long a bench may take beyond the time that it measures. */
const SLACK = 90_000;

const trolleybus = process.env.TROLLEYBUS_BIN;
const environment = { ...process.env, NODE_ENV: "production", TROLLEYBUS_LOG: "error" };

/** What runs now; it ends with us, however that comes about. */
const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => process.exit(1));
}

function run([program, args], stdio) {
  const child = spawn(program, args, { env: environment, stdio });
  running.add(child);
  child.once("exit", () => running.delete(child));
  // One that cannot be started is found to have ended.
  child.once("error", () => running.delete(child));
  return child;
}

/** A figure deep in a report, as `latency_us.p99`. */
export const pick = (report, path) => path.split(".").reduce((value, key) => value?.[key], report);

/**
 * The report of `trolleybus bench` with `args` against `peer`; throws what went wrong. Server and load have a core each,
 * or share `cores`.
 */
export async function measure(peer, args, { seconds, form = peer.form, cores }) {
  const port = await freePort();
  const child = start(peer, port, cores ?? SERVER_CORE);
  try {
    await listening(child, port);
    const warmUp = peer.warmUp ?? 1;
    const where = ["--form", form, "--url", urlOf(peer, port), "--pid", String(child.pid)];
    const time = ["--seconds", String(seconds), "--warm-up", String(warmUp)];
    return await bench([...args, ...where, ...time], cores ?? LOAD_CORE, (Number(seconds) + warmUp) * 1000 + SLACK);
  } finally {
    await stop(child);
  }
}

/** The report of a bench that starts its server itself, both on all cores. */
export function launch(peer, args) {
  const where = ["--form", peer.form, "--url", urlOf(peer, 1)];
  return bench([...args, ...where, "--", ...peer.command], TWO_CORES, 2 * SLACK);
}

function urlOf(peer, port) {
  return `ws://127.0.0.1:${port}${peer.path ?? "/eventbus"}`;
}

function pinned(cores, command) {
  return ["taskset", ["-c", cores, ...command]];
}

function start(peer, port, cores) {
  const command = peer.command.map((word) => word.replace("{port}", port));
  return run(pinned(cores, command), "ignore");
}

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function listening(child, port) {
  const deadline = Date.now() + START_LIMIT;
  while (!(await isOpen(port))) {
    if (hasEnded(child)) {
      throw new Error("it ended instead of listening");
    }
    if (Date.now() > deadline) {
      throw new Error(`it did not listen within ${START_LIMIT / 1000} s`);
    }
    await sleep(20);
  }
}

function isOpen(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

const hasEnded = (child) => child.exitCode !== null || child.signalCode !== null;

async function stop(child) {
  child.kill("SIGKILL");
  if (!hasEnded(child) && child.pid !== undefined) {
    await once(child, "exit");
  }
}

async function bench(args, core, limit) {
  const [work, ...rest] = args;
  const child = run(pinned(core, [trolleybus, "bench", work, "--json", ...rest]), ["ignore", "pipe", "pipe"]);
  const timer = setTimeout(() => child.kill("SIGKILL"), limit);
  let [text, complaint] = ["", ""];
  child.stdout.on("data", (data) => (text += data));
  child.stderr.on("data", (data) => (complaint += data));
  const [code, signal] = await once(child, "close");
  clearTimeout(timer);
  if (signal) {
    throw new Error(`the load gave no result within ${Math.round(limit / 1000)} s`);
  }
  if (code !== 0) {
    throw new Error(whatWentWrong(text, complaint));
  }
  return JSON.parse(text);
}

function whatWentWrong(text, complaint) {
  if (text) {
    const { messages, lost, duplicated, reordered, failed } = JSON.parse(text);
    if (messages === 0) {
      return "nothing arrived in the measured time";
    }
    return `lost ${lost}, duplicated ${duplicated}, reordered ${reordered}, failed ${failed} messages`;
  }
  return complaint.trim().split("\n").at(-1).replace(/^trolleybus: /, "");
}
