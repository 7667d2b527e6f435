// Options of what measures: what makes no sense is said in a line, with what there is, before anything begins.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../support-js/process.mjs";

/** The check by itself, as `cargo xtask` calls it. */
const check = (folder, args) => run(process.execPath, [fileURLToPath(new URL(`../${folder}/options.mjs`, import.meta.url)), ...args]);

const REFUSED = {
  versus: [
    [["--peers", "ws,nonsense"], /`nonsense`.*sockjs-node/],
    [["--only", "zzz"], /`zzz`.*Fan-out to 100.*Recovery storm.*Size of the binary/],
    [["--rounds", "x"], /--rounds .*`x`/],
    [["--seconds", "0"], /--seconds .*`0`/],
    [["--second", "2"], /--second.*--seconds/],
    [["--rounds"], /--rounds/],
    [["fan-out"], /fan-out/],
    [["--write", "--quick"], /--write/],
  ],
  bench: [
    [["--rounds", "x"], /--rounds .*`x`/],
    [["--count", "1.5"], /--count .*`1\.5`/],
    [["--seconds", "2"], /--seconds.*--rounds/],
    [["--only", "zzz"], /`zzz`.*100 B, 16 a frame/],
    [["--live", "--only", "headers"], /`headers`.*live/],
  ],
};
const TAKEN = {
  versus: [[], ["--quick", "--only", "STORM", "--peers", "ws,nats"], ["--rounds", "3", "--seconds", "2", "--write"]],
  bench: [[], ["--live", "--rounds", "2"], ["--only", "headers", "--count", "10", "--json", "results.json"]],
};

for (const folder of ["versus", "bench"])
  describe(folder, () => {
    for (const [args, expected] of REFUSED[folder])
      test(`refuses ${args.join(" ")}`, async () => {
        const { code, out, err } = await check(folder, args);
        assert.equal(code, 2, err);
        assert.match(err, expected);
        assert.deepEqual([err.trimEnd().split("\n").length, out], [1, ""]);
      });

    for (const args of TAKEN[folder])
      test(`takes ${args.join(" ") || "nothing"}`, async () => {
        const { code, out, err } = await check(folder, args);
        assert.deepEqual({ code, out, err }, { code: 0, out: "", err: "" });
      });
  });
