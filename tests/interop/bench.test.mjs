// `trolleybus bench`, against servers of its own: what it prints is sound and has the figures it is for.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { needed } from "../support-js/needs.mjs";
import { serve } from "../support-js/server.mjs";

const run = promisify(execFile);
const trolleybus = needed("TROLLEYBUS_BIN");
const LIMIT = 60_000;

/** The report of a bench that starts a demo itself. */
async function report(...args) {
  const server = [trolleybus, "demo", "--open-bridge", "--listen", "127.0.0.1:{port}"];
  const { stdout } = await run(trolleybus, ["bench", ...args, "--json", "--", ...server], { timeout: LIMIT });
  return JSON.parse(stdout);
}

test("startup gives the time to the first connection, run by run", async () => {
  const { runs, first_connection_ms, fastest_ms, slowest_ms, resident_bytes } = await report("startup", "--runs", "3");
  assert.equal(runs, 3);
  assert.ok(0 < fastest_ms && fastest_ms <= first_connection_ms && first_connection_ms <= slowest_ms);
  assert.ok(resident_bytes > 1_000_000);
});

for (const form of ["sockjs", "xhr-polling"]) {
  test(`everybody is registered again after a storm, over ${form}`, async () => {
    const storm = await report("storm", "--connections", "20", "--form", form);
    assert.equal(storm.connections, 20);
    assert.ok(0 < storm.first_registered_ms && storm.first_registered_ms <= storm.half_registered_ms);
    assert.ok(storm.half_registered_ms <= storm.all_registered_ms);
    assert.ok(storm.first_reply_us.p99 > 0 && storm.server_peak_bytes > 1_000_000);
  });
}

for (const work of [["fanout", "--subscribers", "3"], ["many", "--addresses", "10", "--clients", "3"]]) {
  test(`${work[0]} over xhr-polling has a publisher that stays`, async (t) => {
    const running = await serve({ sockjs: { disconnect_delay_ms: 200 } });
    t.after(() => running.stop());
    const args = ["--form", "xhr-polling", "--seconds", "1", "--warm-up", "0", "--json", "--url", running.bridge];
    const { stdout } = await run(trolleybus, ["bench", ...work, ...args], { timeout: LIMIT });
    const { messages, lost } = JSON.parse(stdout);
    assert.ok(messages > 0 && lost === 0, stdout);
  });
}

test("a server's command without a place for its port is refused", async () => {
  const refused = run(trolleybus, ["bench", "startup", "--", trolleybus, "demo"], { timeout: LIMIT });
  await assert.rejects(refused, ({ stderr }) => stderr.includes("{port}"));
});
