// Runs every work against ours and against its peers, in turns, and writes a table of ratios.
// `cargo xtask versus` calls it; TROLLEYBUS_BIN and BARE_ECHO_BIN say where our programs are.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import readline from "node:readline";
import { parseArgs } from "node:util";
import { WORKS } from "./works.mjs";

const SERVER_CORE = "0";
const LOAD_CORE = "1";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    only: { type: "string", default: "" },
    out: { type: "string", default: "versus.md" },
  },
});

const here = (file) => new URL(file, import.meta.url).pathname;
const trolleybus = process.env.TROLLEYBUS_BIN;
const node = (file) => [process.execPath, here(`peers/${file}`)];
const open = ["demo", "--open-bridge", "--listen", "127.0.0.1:0"];

const PEERS = [
  { name: "trolleybus", command: [trolleybus, ...open], path: "/eventbus", form: "sockjs" },
  { name: "sockjs-node", command: node("sockjs-node.mjs"), form: "sockjs" },
  { name: "ws", command: node("ws.mjs"), form: "raw" },
  { name: "socket.io", command: node("socketio.mjs"), form: "socket-io" },
  { name: "bare echo", command: [process.env.BARE_ECHO_BIN, "0"], path: "/", form: "bare" },
];

/** Polling is SockJS's; a bare echo knows requests only. */
function canDo(peer, work) {
  if (work.form) {
    return peer.form === "sockjs";
  }
  return peer.form !== "bare" || work.args[0] === "request";
}

function pinned(core, command) {
  return ["taskset", ["-c", core, ...command]];
}

async function start(peer) {
  const env = { ...process.env, NODE_ENV: "production", TROLLEYBUS_LOG: "error" };
  const stdio = ["ignore", "pipe", "ignore"];
  const child = spawn(...pinned(SERVER_CORE, peer.command), { env, stdio });
  for await (const line of readline.createInterface({ input: child.stdout })) {
    const url = line.match(/(?:http|ws):\/\/\S+/)?.[0];
    if (url) {
      child.stdout.resume();
      const base = url.replace(/^http/, "ws").replace(/\/$/, "");
      return { child, url: peer.path ? new URL(peer.path, base).href : base };
    }
  }
  throw new Error(`${peer.name} did not start`);
}

async function stop(child) {
  child.kill("SIGKILL");
  if (child.exitCode === null && child.signalCode === null) {
    await once(child, "exit");
  }
}

async function measure(peer, work) {
  const { child, url } = await start(peer);
  const form = work.form ?? peer.form;
  const args = [...work.args, "--form", form, "--url", url, "--pid", String(child.pid)];
  const bench = spawn(
    ...pinned(LOAD_CORE, [trolleybus, "bench", ...args, "--seconds", options.seconds, "--json"]),
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let text = "";
  bench.stdout.on("data", (data) => (text += data));
  const [code] = await once(bench, "close");
  await stop(child);
  if (code !== 0) {
    throw new Error(`${peer.name}: ${work.name}: bench ended with ${code}\n${text}`);
  }
  const report = JSON.parse(text);
  return {
    figure: report.server_cpu_us_per_message ?? report.resident_bytes_per_connection,
    p99: report.latency_us?.p99,
  };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const shown = (number) => (number >= 100 ? Math.round(number).toLocaleString("en") : number.toPrecision(3));

function spread(numbers) {
  return (Math.max(...numbers) - Math.min(...numbers)) / 2 / median(numbers);
}

function machine() {
  const load = os.loadavg()[0].toFixed(1);
  return `${os.cpus()[0].model.trim()}, ${os.cpus().length} cores, Linux ${os.release()}, load ${load}, node ${process.version}`;
}

function row(work, results) {
  const figures = (name) => (results[name] ?? []).map((result) => result.figure);
  const theirs = figures("sockjs-node");
  const cells = PEERS.map(({ name }) => {
    const own = figures(name);
    if (own.length === 0) {
      return "-";
    }
    const ratio = own.map((figure, index) => figure / theirs[index]);
    const percent = Math.round(100 * spread(own));
    return name === "sockjs-node" ? `${shown(median(own))} ±${percent}%` : `${shown(median(own))} ±${percent}% (${median(ratio).toFixed(2)})`;
  });
  const ratio = median(figures("trolleybus").map((figure, index) => figure / theirs[index]));
  const bar = work.bar ?? work.barBytes;
  const met = work.bar ? ratio <= work.bar : median(figures("trolleybus")) <= work.barBytes;
  return `| ${work.name} | ${cells.join(" | ")} | ${bar}${work.bar ? "" : " bytes"} ${met ? "met" : "missed"} |`;
}

const works = WORKS.filter((work) => work.name.toLowerCase().includes(options.only.toLowerCase()));
const lines = [
  `Measured ${new Date().toISOString().slice(0, 10)} on ${machine()}.`,
  `Server CPU in microseconds per message (bytes per connection where idle), median of ${options.rounds} alternating`,
  `runs ± half the spread, in brackets the share of sockjs-node's in the same run.`,
  "",
  `| Work | ${PEERS.map((peer) => peer.name).join(" | ")} | Bar |`,
  `|---|${PEERS.map(() => "---").join("|")}|---|`,
];
for (const work of works) {
  const results = {};
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const peer of PEERS.filter((peer) => canDo(peer, work))) {
      (results[peer.name] ??= []).push(await measure(peer, work));
    }
  }
  lines.push(row(work, results));
  console.log(lines.at(-1));
}
writeFileSync(options.out, lines.join("\n") + "\n");
console.log(`\n${readFileSync(options.out, "utf8")}\nwritten to ${options.out}`);
