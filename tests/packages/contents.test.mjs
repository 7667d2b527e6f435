// What is in the tarball, and whether tools understand it.

import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Workplace } from "../support-js/workplace.mjs";

/** Modules alone, and not the wasm, which is no module. */
const PROFILE = ["--profile", "esm-only", "--no-emoji", "--no-color", "--exclude-entrypoints", "trolleybus_bg.wasm"];

let place;
before(async () => (place = await Workplace.make()));
after(() => place?.remove());

const manifest = async () => JSON.parse(await readFile(join(place.package, "package.json"), "utf8"));

/** The files that `exports` and its like name. */
const named = (value) => (typeof value === "string" ? [value] : Object.values(value).flatMap(named));

test("the tarball has what the manifest names, the readme and the licence, and nothing else", async () => {
  const { main, types, exports, files } = await manifest();
  const present = await readdir(place.package);
  const relative = [main, types, ...named(exports), ...files].map((file) => file.replace(/^\.\//, ""));
  assert.deepEqual([...new Set([...relative, "package.json", "README.md", "LICENSE"])].sort(), present.sort());
});

test("every entry has its types beside it", async () => {
  const { exports } = await manifest();
  const present = await readdir(place.package);
  const scripts = named(exports).filter((file) => /js$/.test(file));
  assert.notEqual(scripts.length, 0);
  for (const script of scripts) assert(present.includes(script.slice(2).replace(/(c?)js$/, "d.$1ts")), script);
});

test("nothing has to be run to install it, and nothing else comes with it", async () => {
  const { scripts = {}, dependencies = {}, peerDependencies = {} } = await manifest();
  assert.deepEqual([scripts, dependencies, peerDependencies], [{}, {}, {}]);
});

test("publint has nothing to say", async () => {
  assert.match(await place.tool("publint", ["run", place.package, "--strict"], place.folder), /All good!/);
});

test("the types resolve for whoever can import modules", async () => {
  const said = await place.tool("attw", [place.tarball, ...PROFILE], place.folder);
  assert.match(said, /OK \(ESM\)/);
});

const HOWS = [["esnext", "bundler", ["*.ts"]], ["nodenext", "nodenext", ["*.ts", "*.cts"]]];
for (const [module, moduleResolution, include] of HOWS) {
  test(`TypeScript with ${moduleResolution} compiles what uses it`, async () => {
    const folder = await place.project("tests/packages/projects/types");
    const compilerOptions = { target: "es2022", lib: ["es2023", "dom"], types: [], strict: true, noEmit: true };
    const settings = { compilerOptions: { ...compilerOptions, module, moduleResolution }, include };
    await writeFile(join(folder, "package.json"), '{ "type": "module" }\n');
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(settings));
    await place.tool("tsc", ["-p", folder], folder);
  });
}
