// Runs every work against ours and against its peers, in turns, and writes tables of what came out.
// `cargo xtask versus` calls it, with TROLLEYBUS_BIN and VERSUS_PEERS saying where the programs are.

import { readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { basename } from "node:path";
import { measure, pick } from "./measure.mjs";
import { isWanted, options, wanted } from "./options.mjs";
import { others } from "./others.mjs";
import { ELSEWHERE, PEERS } from "./peers.mjs";
import { storm } from "./storm.mjs";
import { between, median, shown, table, workRow } from "./table.mjs";
import { WORKS } from "./works.mjs";

const rounds = options.rounds ?? (options.quick ? 1 : 3);
const seconds = options.seconds ?? (options.quick ? 1 : 2);

/** Why a figure is not in the tables, said below them. */
const reasons = [];
const everything = [];

/** The peers that can be had and were asked for; ours and the base of the ratios always are. */
function choose() {
  const isAsked = ({ name }) => wanted.length === 0 || wanted.includes(name) || name === "trolleybus" || name === "sockjs-node";
  for (const { name, absent } of PEERS.filter(isAsked)) {
    if (absent) {
      reasons.push(`${name}: ${absent}`);
    }
  }
  if (wanted.length === 0) {
    reasons.push(...Object.entries(ELSEWHERE).map(([name, reason]) => `${name}: ${reason}`));
  }
  return PEERS.filter((peer) => isAsked(peer) && !peer.absent);
}

/** Polling is SockJS's. */
const carries = (peer, form) => peer.form === "sockjs" || Boolean(peer.carries?.includes(form));
const canDo = (peer, work) => (!work.form || carries(peer, work.form)) && (!work.compressed || Boolean(peer.compresses));

/** For each peer its figures, by turns, or the reason why there are none. */
async function compare(work, peers) {
  const figures = {};
  const args = (options.quick && work.quick) || work.args;
  for (let round = 0; round < Math.min(rounds, work.rounds ?? rounds); round++) {
    for (const peer of peers.filter((peer) => canDo(peer, work) && typeof figures[peer.name] !== "string")) {
      try {
        const report = await measure(peer, args, { seconds, form: work.form });
        const figure = pick(report, work.figure ?? "server_cpu_us_per_message");
        (figures[peer.name] ??= []).push(figure);
        everything.push({ work: work.name, peer: peer.name, round, ...report });
      } catch (error) {
        figures[peer.name] = error.message;
        reasons.push(`${peer.name}, ${work.name.toLowerCase()}: ${error.message}`);
        console.error(`${peer.name}: ${work.name}: ${error.message}`);
      }
    }
  }
  return figures;
}

function machine() {
  const load = os.loadavg()[0].toFixed(1);
  const memory = Math.round(os.totalmem() / 2 ** 30);
  return `${os.cpus()[0].model.trim()}, ${os.cpus().length} cores, ${memory} GB, Linux ${os.release()}, load ${load} at the start`;
}

function head(peers) {
  const versions = peers.filter((peer) => peer.version).map((peer) => `${peer.name} ${peer.version}`);
  const command = ["cargo xtask versus", ...process.argv.slice(2).filter(isTyped)].join(" ");
  return [
    `Measured ${new Date().toISOString().slice(0, 10)} on ${machine()}, by \`${command}\`:`,
    `server and load on a core each, by turns, ${rounds} rounds of ${seconds} s. Node ${process.version}, ${versions.join(", ")}.`,
    "",
    `Server CPU in microseconds per message unless another unit is named: median of the rounds ± half the spread, in`,
    `brackets the share of sockjs-node's in the same round. Less is better. The last two are no buses but ceilings: \`bare\` is`,
    `the least that can be done with our WebSocket library and runtime, \`floor\` one thread on a bare epoll, the system calls`,
    `that there have to be, and next to nothing between them.`,
  ];
}

/** Not what xtask adds. */
function isTyped(word, index, words) {
  const added = ["--out", "--documents"];
  return !added.includes(word) && !added.includes(words[index - 1]);
}

function foot() {
  return reasons.length > 0 ? ["", "Not measured, and why:", "", ...reasons.map((reason) => `- ${reason}`)] : [];
}

const began = Date.now();
const peers = choose();
const lines = head(peers);
const works = WORKS.filter((work) => isWanted(work.name));
if (works.length > 0) {
  lines.push("");
  const rows = [];
  for (const work of works) {
    const figures = await compare(work, peers);
    rows.push(workRow(work, peers, figures));
    console.error(rows.at(-1));
    // Whoever stops the run keeps what it has so far.
    save([...lines, ...table(["Work", ...peers.map((peer) => peer.name), "Bar"], rows), ...foot()]);
  }
  lines.push(...table(["Work", ...peers.map((peer) => peer.name), "Bar"], rows));
}
const endOfWorks = lines.length;
const tools = { peers, rounds, seconds, isWanted, quick: options.quick, reasons, everything, median, shown };
lines.push(...(await storm(tools)), ...(await others(tools)), ...foot());
console.log(lines.join("\n"));
console.error(`\n${Math.round((Date.now() - began) / 1000)} s in all`);

save(lines);
console.error(`written to ${options.out}, and every report to the .json beside it`);
if (options.write) {
  write(options.documents.split(":").filter(Boolean));
}

function save(lines) {
  writeFileSync(options.out, lines.join("\n") + "\n");
  writeFileSync(options.out.replace(/\.md$/, ".json"), JSON.stringify(everything, null, 1) + "\n");
}

/** The first table is enough for whoever reads the README. */
function write(documents) {
  const partFor = (document) => (basename(document) === "README.md" ? lines.slice(0, endOfWorks) : lines);
  const texts = documents.map((document) => [document, between(readFileSync(document, "utf8"), partFor(document))]);
  const marked = texts.filter(([, text]) => text !== undefined);
  if (marked.length === 0) {
    console.error(`no <!-- versus --> and <!-- /versus --> in ${documents.join(", ")}`);
    process.exitCode = 1;
  }
  for (const [document, text] of marked) {
    writeFileSync(document, text);
    console.error(`written into ${document}`);
  }
}
