// What is measured, with which share of sockjs-node's figure we want to stay under.

const kilobytes16 = ["--size", "16384"];

/** `only` names the peers that can do the work; `unit` is what the figure counts. */
export const WORKS = [
  { name: "Request/reply, 64 connections, one under way each", args: ["request", "--connections", "64"], bar: 0.3 },
  { name: "Request/reply, 16 connections, 16 under way each", args: ["request", "--connections", "16", "--window", "16"], bar: 0.11 },
  { name: "Fan-out to 100, one publish under way", args: ["fanout", "--subscribers", "100"], bar: 0.52 },
  { name: "Fan-out to 100, 16 under way", args: ["fanout", "--subscribers", "100", "--window", "16"], bar: 0.09 },
  { name: "Fan-out to 1,000, 4 under way", args: ["fanout", "--subscribers", "1000", "--window", "4"], bar: 0.16 },
  { name: "1,000 addresses, 200 clients with 10 each, 16 random publishes under way", args: ["many"], bar: 0.21 },
  { name: "Fan-out to 50 of 16 KB bodies", args: ["fanout", "--subscribers", "50", ...kilobytes16], bar: 0.08 },
  { name: "xhr-polling request/reply, 64 sessions", args: ["request", "--connections", "64"], form: "xhr-polling", bar: 0.21 },
  { name: "xhr-streaming request/reply, 64 sessions", args: ["request", "--connections", "64"], form: "xhr-streaming", bar: 0.22 },
  { name: "Connect, register, disconnect", args: ["churn"], bar: 0.4 },
  { name: "Idle registered connection, 9,000 of them", args: ["idle", "--connections", "9000"], unit: "bytes", barBytes: 6000 },
];

