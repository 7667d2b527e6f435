// What is ours alone or has a bar that is no share of a peer's figure: a table of what, how much, bar.

import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { promisify } from "node:util";
import { launch, measure, TWO_CORES } from "./measure.mjs";
import { ratioIn, table, word } from "./table.mjs";
import { AT_A_RATE } from "./works.mjs";

const run = promisify(execFile);

export async function others(tools) {
  const rows = [];
  for (const [title, look] of LOOKS.filter(([title]) => tools.isWanted(title))) {
    try {
      const { figure, bar, met } = await look(tools);
      rows.push(`| ${title} | ${figure} | ${bar} ${word(met)} |`);
    } catch (error) {
      rows.push(`| ${title} | failed | not measured |`);
      tools.reasons.push(`${title.toLowerCase()}: ${error.message.split("\n")[0]}`);
    }
    console.error(rows.at(-1));
  }
  return rows.length > 0 ? ["", ...table(["Ours", "Figure", "Bar"], rows)] : [];
}

const LOOKS = [
  ["Stalled reader: memory while 150 MB, in messages of 4 KB, are published to it and to a live one", stalledMemory],
  ["Stalled reader: p99 of the live one with it, against without", stalledLatency],
  ["Publish with 1,000,000 registrations, against 1,000", registrations],
  ["Two cores against one: throughput of the bus, to addresses of their own", (tools) => busOnTwoCores(tools, "own addresses")],
  ["Two cores against one: throughput of the bus, to the same 1,000 addresses", (tools) => busOnTwoCores(tools, "the same 1,000")],
  ["Two cores against one, from CPU per message at the same rate", twoCores],
  ["Start-up to the first open connection", startup],
  ["Size of the binary", size],
];

/** The names of all of it. */
export const OURS = LOOKS.map(([title]) => title);

let stalled;

/** One measurement for two rows; a p99 needs a few of them. */
async function stalledReports({ peers, rounds, quick, everything }) {
  if (!stalled) {
    stalled = [];
    for (let round = 0; round < (quick ? rounds : Math.max(rounds, 5)); round++) {
      const report = await measure(peers[0], ["stalled", "--size", "4096"], { seconds: 1 });
      stalled.push(report);
      everything.push({ peer: "trolleybus", round, ...report });
    }
  }
  return stalled;
}

async function stalledMemory(tools) {
  const reports = await stalledReports(tools);
  const grown = tools.median(reports.map((report) => report.resident_bytes_most - report.resident_bytes_before)) / 1e6;
  return { figure: `${tools.shown(Math.max(grown, 0))} MB more`, bar: "under 4 MB", met: grown < 4 };
}

async function stalledLatency(tools) {
  const reports = await stalledReports(tools);
  const without = (report) => (report.live_p99_us_before + report.live_p99_us_after) / 2;
  const share = tools.median(reports.map((report) => report.live_p99_us_with / without(report)));
  return { figure: `×${share.toFixed(2)}`, bar: "under ×1.10", met: share < 1.1 };
}

/** What a part of `server/benches/bus` prints; it is built by xtask unless the run is a quick one. */
async function benchOfBus(part, cores) {
  const program = process.env.BUS_BENCH;
  if (!program) {
    throw new Error("the bench of the bus was not built");
  }
  const { stdout } = await run("taskset", ["-c", cores, program, "--bench", part]);
  return stdout;
}

async function registrations() {
  const share = ratioIn(await benchOfBus("registrations", "0"), "1,000 exact; 1,000,000 exact");
  return { figure: `×${share.toFixed(2)}`, bar: "at most ×1.20", met: share <= 1.2 };
}

let printed;

/** One measurement for two rows. */
async function busOnTwoCores(_, addresses) {
  printed ??= benchOfBus("cores", TWO_CORES);
  const stdout = await printed;
  const gains = ["publish", "request", "register"].map((name) => ({ name, gain: ratioIn(stdout, `${addresses}, ${name}`) }));
  return gained(gains);
}

/**
 * The load needs a core too, so the rate of two cores cannot be seen here. What they could do follows from what a
 * message costs on them; at a fixed rate, because in a closed loop a slower server gets cheaper batches.
 */
async function twoCores({ peers, rounds, seconds, median, everything }) {
  const gains = [];
  for (const { name, args } of AT_A_RATE) {
    const own = [];
    for (let round = 0; round < rounds; round++) {
      const one = await measure(peers[0], args, { seconds });
      const two = await measure(peers[0], args, { seconds, cores: TWO_CORES });
      everything.push({ peer: "trolleybus", round, ...one }, { peer: "trolleybus, two cores", round, ...two });
      own.push((2 * one.server_cpu_us_per_message) / two.server_cpu_us_per_message);
    }
    gains.push({ name, gain: median(own) });
  }
  return gained(gains);
}

function gained(gains) {
  const figure = gains.map(({ name, gain }) => `${name} ×${gain.toFixed(2)}`).join(", ");
  return { figure, bar: "at least ×1.7", met: gains.every(({ gain }) => gain >= 1.7) };
}

async function startup({ peers, quick, shown, everything }) {
  const report = await launch(peers[0], ["startup", "--runs", quick ? "5" : "20"]);
  everything.push({ peer: "trolleybus", ...report });
  const { first_connection_ms: median, fastest_ms: fastest, slowest_ms: slowest } = report;
  return { figure: `${shown(median)} ms (${shown(fastest)} to ${shown(slowest)})`, bar: "under 50 ms", met: median < 50 };
}

function size() {
  const megabytes = statSync(process.env.TROLLEYBUS_BIN).size / 1e6;
  return { figure: `${megabytes.toFixed(1)} MB`, bar: "under 20 MB", met: megabytes < 20 };
}
