// The examples as they would be copied: built by their own script, and used.

import assert from "node:assert/strict";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launchBrowser, openPage } from "../support-js/browser.mjs";
import { launchFirefox, openInFirefox } from "../support-js/firefox.mjs";
import { assertNoMishaps, seen, submit } from "../support-js/page.mjs";
import { Program, run } from "../support-js/process.mjs";
import { demo } from "../support-js/server.mjs";
import { Workplace } from "../support-js/workplace.mjs";

let place, chromium, firefox;
before(async () => {
  [place, chromium, firefox] = await Promise.all([Workplace.make(), launchBrowser(), launchFirefox()]);
});
after(() => Promise.all([place?.remove(), chromium?.close(), firefox?.close()]));

/** The pages all do the same: show the state, ask, and list what is told to everybody. */
async function assertWorks(page, word) {
  await seen(page, "[data-state=open]");
  await submit(page, word);
  await seen(page, "output", word.toUpperCase());
  await seen(page, "li", word.toUpperCase());
  assertNoMishaps(page);
}

async function assertServed(t, folder, { inFirefox = false } = {}) {
  const site = await demo("--www", folder);
  t.after(() => site.stop());
  const page = await openPage(t, chromium, site.origin);
  await assertWorks(page, "mind the gap");
  if (inFirefox) {
    await assertWorks(await openInFirefox(t, firefox, site.origin), "from the fox");
    await seen(page, "li", "FROM THE FOX");
  }
  await site.stop("SIGKILL");
  await seen(page, "[data-state=waiting]");
}

for (const framework of ["react", "vue", "svelte"])
  test(`the example with ${framework} passes its type check, is built, asks and hears`, async (t) => {
    const folder = await place.project(`examples/${framework}`);
    assert.doesNotMatch(await place.npm(folder, "run", "build"), /\(!\)|WARN/);
    await assertServed(t, join(folder, "dist"));
  });

for (const example of ["react", "vue", "svelte", "node"])
  test(`the example with ${example} is made with the versions that are tested`, async () => {
    const folder = await place.project(`examples/${example}`);
    const { dependencies, devDependencies } = JSON.parse(await readFile(join(folder, "package.json")));
    const { trolleybus, ...others } = { ...dependencies, ...devDependencies };
    assert.match(trolleybus, /^file:/);
    for (const [name, wanted] of Object.entries(others)) {
      const { version } = JSON.parse(await readFile(join(place.folder, "../node_modules", name, "package.json")));
      const [[major, minor], [atLeast, orMinor]] = [version, wanted.slice(1)].map((text) => text.split(".").map(Number));
      assert(wanted.startsWith("^") && major === atLeast && minor >= orMinor, `${name} ${wanted}: ${version}`);
    }
  });

test("the example in plain HTML asks and hears", async (t) => {
  const folder = await place.project("examples/html");
  await cp(place.package, join(folder, "trolleybus"), { recursive: true });
  await assertServed(t, folder, { inFirefox: true });
});

test("the example in Node serves, asks and ends", async (t) => {
  const [folder, bridge] = await Promise.all([place.project("examples/node"), demo()]);
  t.after(() => bridge.stop());
  const env = { BRIDGE: bridge.bridge };
  const ask = () => run(process.execPath, [join(folder, "ask.js"), "trolley"], { env });
  const early = await ask();
  assert.deepEqual([early.code, early.out], [1, ""]);
  assert.match(early.err, /start serve.js/);

  const service = new Program(process.execPath, [join(folder, "serve.js")], env);
  t.after(() => service.stop());
  await service.line(/^serving over websocket/);
  assert.deepEqual(await ask(), { code: 0, out: "yellort\n", err: "" });
  assert.equal(await service.stop(), 0);
});
