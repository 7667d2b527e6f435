// One page with a worker, through every bundler and through none: it asks and is answered.

import assert from "node:assert/strict";
import { cp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launchBrowser, openPage } from "../support-js/browser.mjs";
import { launchFirefox, openInFirefox } from "../support-js/firefox.mjs";
import { serveFolder } from "../support-js/folder-server.mjs";
import { assertNoMishaps, seen } from "../support-js/page.mjs";
import { Program } from "../support-js/process.mjs";
import { demo } from "../support-js/server.mjs";
import { Workplace, tool } from "../support-js/workplace.mjs";

/** What makes a folder that can be served of a project. */
const BUNDLERS = {
  vite: (folder) => place.tool("vite", ["build"], folder),
  webpack: async (folder) => {
    const said = await place.tool("webpack", ["--mode=production", "--entry=./main.js", "--output-path=dist"], folder);
    await cp(join(folder, "index.html"), join(folder, "dist/index.html"));
    return said;
  },
  // It bundles what it is told to: the wasm too, and workers.
  esbuild: async (folder) => {
    const inputs = (await readdir(folder)).filter((name) => /^(index|main|worker)\./.test(name));
    const ours = ["trolleybus_bg.wasm", "trolleybus-worker.js"];
    inputs.push(...ours.map((name) => `../node_modules/trolleybus/${name}`));
    const outputs = ["--outdir=dist", "--entry-names=[name]", "--loader:.html=copy", "--loader:.wasm=copy"];
    return place.tool("esbuild", [...inputs, "--bundle", "--splitting", "--format=esm", ...outputs], folder);
  },
};

/** No bundler: the package beside the page. */
async function beside(folder) {
  await cp(place.package, join(folder, "trolleybus"), { recursive: true });
  await cp(folder, `${folder}-dist`, { recursive: true });
  await rename(`${folder}-dist`, join(folder, "dist"));
  return "";
}

/** The projects: who asks there, how they are built, and what is opened in Firefox as well. */
const MATRIX = {
  page: { asks: ["page", "worker"], builds: BUNDLERS, firefox: ["vite"] },
  vertx: { asks: ["page"], builds: BUNDLERS, firefox: [] },
  shared: { asks: ["page"], builds: BUNDLERS, firefox: ["vite"] },
  bare: { asks: ["page", "worker"], builds: { "no bundler": beside }, firefox: ["no bundler"] },
  "vertx-script": { asks: ["page"], builds: { "no bundler": beside }, firefox: ["no bundler"] },
};

/** What each says, in capitals as it comes back. */
const ANSWERS = { page: "FROM THE PAGE", worker: "FROM A WORKER" };

let place, chromium, firefox;
before(async () => {
  [place, chromium, firefox] = await Promise.all([Workplace.make(), launchBrowser(), launchFirefox()]);
});
after(() => Promise.all([place?.remove(), chromium?.close(), firefox?.close()]));

async function assertAnswered(page, asks) {
  for (const who of asks) await seen(page, `body[data-${who}="${ANSWERS[who]}"]`);
  assertNoMishaps(page);
}

for (const [project, { asks, builds, firefox: inFirefox }] of Object.entries(MATRIX)) {
  for (const [bundler, build] of Object.entries(builds)) {
    test(`${project} with ${bundler}: it is built without a warning, asks and is answered`, async (t) => {
      const folder = await place.project(`tests/packages/projects/${project}`);
      t.after(() => rm(folder, { recursive: true }));
      assert.doesNotMatch(await build(folder), /warn/i);
      const site = await demo("--www", join(folder, "dist"));
      t.after(() => site.stop());
      await assertAnswered(await openPage(t, chromium, site.origin), asks);
      if (!inFirefox.includes(bundler)) return;
      await assertAnswered(await openInFirefox(t, firefox, site.origin), asks);
    });
  }
}

test("an import map and a bridge elsewhere: the page asks and is answered", async (t) => {
  const folder = await place.project("tests/packages/projects/import-map");
  t.after(() => rm(folder, { recursive: true }));
  await beside(folder);
  const [bridge, site] = await Promise.all([demo(), serveFolder(join(folder, "dist"))]);
  t.after(() => Promise.all([bridge.stop(), site.stop()]));
  const url = `${site.origin}/?bridge=${encodeURIComponent(bridge.bridge)}`;
  await assertAnswered(await openPage(t, chromium, url), ["page"]);
  await assertAnswered(await openInFirefox(t, firefox, url), ["page"]);
});

for (const project of ["page", "shared"]) {
  test(`${project} with vite's server for developers: it asks and is answered`, async (t) => {
    const folder = await place.project(`tests/packages/projects/${project}`);
    t.after(() => rm(folder, { recursive: true }));
    const bridge = await demo();
    t.after(() => bridge.stop());
    const settings = { server: { proxy: { "/eventbus": { target: bridge.origin, ws: true } } } };
    await writeFile(join(folder, "vite.config.js"), `export default ${JSON.stringify(settings)};\n`);
    const vite = new Program(tool("vite"), ["--port", "0", "--host", "127.0.0.1"], { NO_COLOR: "1" }, folder);
    t.after(() => vite.stop());
    const [origin] = await vite.line(/http:\/\/[^\s/]+/);
    await assertAnswered(await openPage(t, chromium, origin), MATRIX[project].asks);
  });
}
