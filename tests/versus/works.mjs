// What is measured, with which share of sockjs-node's figure we want to stay under.

const kilobytes16 = ["--size", "16384"];

/**
 * `figure` names what counts in the report of `trolleybus bench`, `unit` says what that is.
 * `bar` is a share of sockjs-node's figure, `most` an absolute bound, `below` names peers that must not be better.
 * `form` is for the works that only SockJS knows, and `compressed` for peers that compress as they come. `rounds`: more of them would tell nothing new. `quick` are the arguments of quick runs.
 */
export const WORKS = [
  { name: "Request/reply, 64 connections, one under way each", args: ["request", "--connections", "64"], bar: 0.3 },
  { name: "Request/reply, 16 connections, 16 under way each", args: ["request", "--connections", "16", "--window", "16"], bar: 0.11 },
  { name: "Fan-out to 100, one publish under way", args: ["fanout", "--subscribers", "100"], bar: 0.52 },
  { name: "Fan-out to 100, 16 under way", args: ["fanout", "--subscribers", "100", "--window", "16"], bar: 0.09 },
  { name: "Fan-out to 1,000, 4 under way", args: ["fanout", "--subscribers", "1000", "--window", "4"], bar: 0.16 },
  { name: "1,000 addresses, 200 clients with 10 each, 16 random publishes under way", args: ["many"], bar: 0.21 },
  { name: "1,000 addresses, 200 clients with 10 each, 200 random publishes under way", args: ["many", "--window", "200"], bar: 0.21 },
  { name: "Fan-out to 50 of 16 KB bodies", args: ["fanout", "--subscribers", "50", ...kilobytes16], bar: 0.08 },
  { name: "The same compressed (permessage-deflate)", args: ["fanout", "--subscribers", "50", ...kilobytes16], form: "sockjs-deflate", compressed: true },
  { name: "xhr-polling request/reply, 64 sessions", args: ["request", "--connections", "64"], form: "xhr-polling", bar: 0.21 },
  { name: "xhr-streaming request/reply, 64 sessions", args: ["request", "--connections", "64"], form: "xhr-streaming", bar: 0.22 },
  { name: "Connect, register, disconnect", args: ["churn"], bar: 0.4 },
  {
    name: "Idle registered connection",
    args: ["idle", "--connections", "9000"],
    quick: ["idle", "--connections", "2000"],
    figure: "resident_bytes_per_connection",
    unit: "bytes",
    rounds: 2,
    most: 6000,
    below: "all",
  },
  {
    name: "Idle registered xhr-polling session",
    args: ["idle", "--connections", "8000"],
    quick: ["idle", "--connections", "1000"],
    form: "xhr-polling",
    figure: "resident_bytes_per_connection",
    unit: "bytes",
    rounds: 2,
    most: 8192,
  },
  {
    name: "Idle registered xhr-streaming session",
    args: ["idle", "--connections", "8000"],
    quick: ["idle", "--connections", "1000"],
    form: "xhr-streaming",
    figure: "resident_bytes_per_connection",
    unit: "bytes",
    rounds: 2,
    below: "all",
  },
  {
    name: "p99 of request/reply, 20,000 a second, 64 connections",
    args: ["request", "--connections", "64", "--rate", "20000"],
    figure: "latency_us.p99",
    unit: "µs",
    below: ["sockjs-node", "socketioxide"],
  },
  {
    name: "The same p99 in a typical tenth of a second",
    args: ["request", "--connections", "64", "--rate", "20000"],
    figure: "latency_us.p99_typical",
    unit: "µs",
    below: ["sockjs-node", "socketioxide"],
  },
];

/** The same for all that come back to a server that was killed; columns of a table of its own. */
export const STORM = {
  connections: "2000",
  columns: [
    { name: "all registered after, ms", figure: "all_registered_ms" },
    { name: "half registered after, ms", figure: "half_registered_ms" },
    { name: "first reply p99, µs", figure: "first_reply_us.p99" },
    { name: "server CPU each, µs", figure: "server_cpu_us_per_connection" },
    { name: "most memory, MB", figure: "server_peak_bytes", scale: 1e-6 },
  ],
};

/** Works whose CPU per message on two cores is compared with that on one, at rates that leave both half idle. */
export const AT_A_RATE = [
  { name: "requests", args: ["request", "--connections", "64", "--rate", "20000"] },
  { name: "fan-out", args: ["fanout", "--subscribers", "100", "--rate", "500"] },
  { name: "many", args: ["many", "--rate", "5000"] },
];
