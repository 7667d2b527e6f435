// The types of the npm package: `tests/types` compiles with each way in which TypeScript finds packages.

import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { needed } from "../support-js/needs.mjs";
import { Program } from "../support-js/process.mjs";

const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const SOURCES = fileURLToPath(new URL("../types", import.meta.url));
/** Milliseconds that a compiler may take on a slow machine that is busy. */
const COMPILING = 120_000;
const COMMON = { strict: true, noEmit: true, target: "es2022", lib: ["es2022", "dom"], types: [] };
const WAYS = {
  bundler: { module: "esnext", moduleResolution: "bundler" },
  // The declarations themselves were checked once.
  node16: { module: "node16", moduleResolution: "node16", skipLibCheck: true },
};

let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "trolleybus-types-"));
  await cp(SOURCES, folder, { recursive: true });
  await mkdir(join(folder, "node_modules"));
  await cp(join(needed("TROLLEYBUS_WWW"), "sdk"), join(folder, "node_modules", "trolleybus"), { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
});
after(() => rm(folder, { recursive: true, force: true }));

for (const [name, way] of Object.entries(WAYS)) {
  test(`what should compile does, and nothing else, with moduleResolution ${name}`, async () => {
    const config = join(folder, `tsconfig.${name}.json`);
    await writeFile(config, JSON.stringify({ compilerOptions: { ...COMMON, ...way }, include: ["*.ts"] }));
    const tsc = new Program(process.execPath, [compiler, "-p", config, "--pretty", "false"]);
    assert.equal(await tsc.ended(COMPILING), 0, tsc.said);
  });
}
