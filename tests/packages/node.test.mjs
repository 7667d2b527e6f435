// The package in Node, installed in a folder where there is nothing else.

import assert from "node:assert/strict";
import { cp, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { run } from "../support-js/process.mjs";
import { demo } from "../support-js/server.mjs";
import { Workplace } from "../support-js/workplace.mjs";

const ASK = `
  const bus = await connect(process.env.BRIDGE);
  const { body } = await bus.request("demo.request", "from node");
  console.log(body, bus.status.transport);
  bus.close();
`;

let place, bridge;
before(async () => ([place, bridge] = await Promise.all([Workplace.make({ bundlers: false }), demo()])));
after(() => Promise.all([place?.remove(), bridge?.stop()]));

/** What a program says that is given to Node as its standard input; it has to end by itself. */
async function said(program, ...flags) {
  const settings = { cwd: place.folder, env: { BRIDGE: bridge.bridge }, input: program };
  const { code, out, err } = await run(process.execPath, [...flags, "-"], settings);
  assert.equal(code, 0, err);
  return { out: out.trim(), err };
}

const asModule = (program, ...flags) => said(program, "--input-type=module", ...flags);

const hasWebSocket = typeof WebSocket === "function";

test("it works out of the box, over HTTP where Node has no WebSocket", async () => {
  const { out, err } = await asModule(`import { connect } from "trolleybus"; ${ASK}`);
  assert.equal(out, `FROM NODE ${hasWebSocket ? "websocket" : "xhr-streaming"}`);
  assert.equal(err, "");
});

test("Node's own WebSocket is used where there is one", async () => {
  const flags = hasWebSocket ? [] : ["--experimental-websocket"];
  const { out } = await asModule(`import { connect } from "trolleybus"; ${ASK}`, ...flags);
  assert.equal(out, "FROM NODE websocket");
});

test("the WebSocket of ws is used where it is given, or global", async () => {
  const ws = dirname(createRequire(import.meta.url).resolve("ws/package.json"));
  await cp(ws, join(place.folder, "node_modules/ws"), { recursive: true });
  const program = `import { WebSocket } from "ws"; import { connect } from "trolleybus";`;
  const given = ASK.replace("process.env.BRIDGE", "process.env.BRIDGE, { WebSocket }");
  for (const rest of [given, `globalThis.WebSocket = WebSocket; ${ASK}`])
    assert.equal((await asModule(program + rest)).out, "FROM NODE websocket");
});

test("CommonJS imports it when it is needed", async () => {
  const program = `import("trolleybus").then(async ({ connect }) => { ${ASK} });`;
  const { out } = await said(program, "--input-type=commonjs");
  assert.match(out, /^FROM NODE /);
});

test("CommonJS requires the stand-in for Vert.x's client", async () => {
  const program = `
    const EventBus = require("trolleybus/vertx");
    const bus = new EventBus(process.env.BRIDGE);
    bus.onopen = () => bus.send("demo.request", "from node", {}, (error, message) => {
      console.log(error ?? message.body);
      bus.close();
    });
  `;
  assert.equal((await said(program, "--input-type=commonjs")).out, "FROM NODE");
});

test("it is found through a link too, as workspaces have it", async () => {
  const linked = join(place.folder, "linked.mjs");
  await symlink(join(place.package, "index.js"), join(place.folder, "link.js"));
  await writeFile(linked, `import { connect } from "./link.js"; ${ASK}`);
  const { code, out, err } = await run(process.execPath, [linked], { env: { BRIDGE: bridge.bridge } });
  assert.equal(code, 0, err);
  assert.match(out, /^FROM NODE /);
});
