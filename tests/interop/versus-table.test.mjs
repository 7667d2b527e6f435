// The table of `cargo xtask versus`: ratios within a round, spread, bars, and what becomes of peers that fail.

import assert from "node:assert/strict";
import { test } from "node:test";
import { between, median, ratio, ratioIn, spread, verdict, workRow } from "../versus/table.mjs";

const peers = ["trolleybus", "sockjs-node", "ws", "nats"].map((name) => ({ name }));

test("a ratio compares what ran in the same round", () => {
  // The machine was twice as slow in the second round, for both.
  assert.equal(ratio([1, 2, 1], [4, 8, 4]), 0.25);
  assert.equal(median([3, 1, 2, 10]), 2.5);
  assert.equal(spread([8, 10, 12]), 0.2);
});

test("a row has median, spread, share and verdict, and says who failed", () => {
  const figures = { trolleybus: [2, 2, 3], "sockjs-node": [10, 10, 10], ws: "lost 3 messages" };
  const row = workRow({ name: "Fan-out", bar: 0.3 }, peers, figures);
  assert.equal(row, "| Fan-out | 2.00 ±25% (0.20) | 10.0 ±0% | failed | - | 0.3 met |");
});

test("a bar that cannot be judged is not met", () => {
  assert.equal(verdict({ bar: 0.3 }, { trolleybus: [1], "sockjs-node": "it ended" }), "0.3 not measured");
  assert.equal(verdict({ most: 5 }, { trolleybus: "it ended" }), "not measured");
});

test("ours must not be above the peers that a bar names, nor above any where it names all", () => {
  const figures = { trolleybus: [5], "sockjs-node": [9], nats: [4], bare: [1], floor: [0.5] };
  assert.equal(verdict({ below: ["sockjs-node"] }, figures), "at most sockjs-node's met");
  assert.equal(verdict({ below: ["sockjs-node", "ws"] }, figures), "at most sockjs-node's, ws's not measured (ws)");
  assert.equal(verdict({ below: "all", most: 6 }, figures), "6 met; at most every peer's missed (nats)");
});

test("a ratio is read off the line of a bench, whatever other lines there are", () => {
  const printed = [
    "own addresses that nobody consumes, register    9.0 ns    9.0 ns   best x1.00   median x1.00",
    "own addresses, register    2.0 ns    1.0 ns   best x2.00   median x1.97",
    "1,000 exact; 1,000,000 exact    50.0 ns    55.0 ns   x1.10\n",
  ].join("\n");
  assert.equal(ratioIn(printed, "own addresses, register"), 1.97);
  assert.equal(ratioIn(printed, "1,000 exact; 1,000,000 exact"), 1.1);
  // Which meets no bar.
  assert.ok(Number.isNaN(ratioIn(printed, "own addresses, publish")));
});

test("the tables go between the markers of a document that has them", () => {
  const text = "a\n<!-- versus -->\nold\n<!-- /versus -->\nb\n";
  assert.equal(between(text, ["new"]), "a\n<!-- versus -->\nnew\n<!-- /versus -->\nb\n");
  assert.equal(between("nothing", ["new"]), undefined);
});
