// The TypeScript and JavaScript of the documentation: it compiles, and it runs.

import assert from "node:assert/strict";
import { mkdtemp, rm, symlink, mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { WebSocket } from "ws";
import { needed } from "../support-js/needs.mjs";
import { demo } from "../support-js/server.mjs";
import { missing, snippets } from "../support-js/snippets.mjs";
import { within } from "../support-js/waiting.mjs";

globalThis.WebSocket ??= WebSocket;

const root = fileURLToPath(new URL("../../", import.meta.url));
const sdk = join(needed("TROLLEYBUS_WWW"), "sdk");
const FILES = [
  "client-sdk/npm/README.md",
  ...["start", "reconnecting", "patterns", "auth", "workers", "testing", "migrating"].map((name) => `docs/${name}.md`),
];
/** What a reader has at hand after the first snippet. */
const AT_HAND = { bus: "EventBus", startBus: "() => Promise<{ url: URL; stop: () => unknown }>" };
const EXPORTS = ["connect", "EventBus", "BusError"];

const { default: ts } = await import("typescript");
const all = FILES.flatMap((file) =>
  snippets(join(root, file), "ts", "js").map((snippet) => ({ ...snippet, name: `${basename(file, ".md")}-${snippet.line}` , file })),
);

/** A snippet as a module that declares what it takes for granted. */
function asModule(snippet) {
  const imported = missing(snippet, EXPORTS);
  const given = missing(snippet, Object.keys(AT_HAND));
  return [
    ...snippet.imports,
    `import type * as trolleybus from "trolleybus";\n`,
    imported.length ? `import { ${imported.join(", ")} } from "trolleybus";\n` : "",
    ...given.map((name) => `declare const ${name}: ${AT_HAND[name].replace("EventBus", "trolleybus.EventBus")};\n`),
    `${snippet.code}\nexport {};\n`,
  ].join("");
}

describe("the documentation:", () => {
  test("every snippet of TypeScript compiles, strictly", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "trolleybus-docs-"));
    t.after(() => rm(folder, { recursive: true }));
    await mkdir(join(folder, "node_modules"));
    await symlink(sdk, join(folder, "node_modules/trolleybus"));
    const checked = all.filter(({ language }) => language === "ts");
    assert(checked.length > 10, "the snippets were found");
    await Promise.all(checked.map((snippet) => writeFile(join(folder, `${snippet.name}.ts`), asModule(snippet))));
    const program = ts.createProgram(checked.map(({ name }) => join(folder, `${name}.ts`)), {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.dom.asynciterable.d.ts", "lib.esnext.disposable.d.ts"],
      types: [],
      strict: true,
      noEmit: true,
    });
    const problems = ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
      const line = file && file.getLineAndCharacterOfPosition(start).line + 1;
      return `${file && basename(file.fileName)}:${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
    });
    assert.deepEqual(problems, []);
  });

  describe("every snippet runs:", () => {
    let running, library, vertx, services;
    before(async () => {
      running = await demo("--open-bridge");
      library = await import(pathToFileURL(join(sdk, "index.js")));
      vertx = await import(pathToFileURL(join(sdk, "vertx.js")));
      services = await serve(library, running.bridge);
    });
    after(async () => {
      services?.close();
      await running?.stop();
    });

    for (const snippet of all) {
      test(`${snippet.file}, line ${snippet.line}`, async (t) => {
        const buses = [];
        let loops;
        const looping = new Promise((resolve) => (loops = resolve));
        const connect = async (_, options) => {
          const bus = await library.connect(running.bridge, { ...options, shared: undefined });
          t.after(() => bus.close());
          buses.push(tellingOfLoops(bus, loops));
          return bus;
        };
        const bus = await connect();
        const startBus = () => ({ url: running.bridge, stop: () => {} });
        const Bus = snippet.imports.some((line) => line.includes("/vertx")) ? vertx.default : library.EventBus;
        const EventBus = new Proxy(Bus, {
          construct(_, [url, ...more]) {
            const bus = new Bus(url.startsWith("/") ? running.bridge : url, ...more);
            t.after(() => bus.close());
            return bus;
          },
        });
        const until = [];
        const self = { addEventListener: (_, listen) => listen({ waitUntil: (promise) => until.push(promise) }) };
        const scope = { ...library, EventBus, connect, bus, startBus, self, fetch: noToken, console: silent };
        const done = run(snippet, scope).then(() => Promise.all(until));
        // What goes on until it is told to stop is told so when it waits for more.
        await within(Promise.race([done, looping]), "the snippet neither ends nor waits in a loop");
        await Promise.all(buses.map((bus) => bus.close()));
        await within(done, "the snippet does not end with its bus");
      });
    }
  });
});

/** Calls `loops` when somebody iterates. */
function tellingOfLoops(bus, loops) {
  const watched = (make) => (...args) => {
    const iterable = make.apply(bus, args);
    const begin = iterable[Symbol.asyncIterator];
    iterable[Symbol.asyncIterator] = () => {
      loops();
      return begin.call(iterable);
    };
    return iterable;
  };
  bus.consumer = watched(bus.consumer);
  bus.states = watched(bus.states);
  return bus;
}

const noToken = async () => new Response("");
const silent = { log() {}, warn() {}, error() {} };

/** What the snippets ask. */
async function serve({ connect }, url) {
  const bus = await connect(url);
  const answers = { sum: ([a, b]) => a + b, "price.of": () => 3, slow: () => null, seen: () => null, "scores.all": () => ({}) };
  const consumers = Object.entries(answers).map(([to, answer]) =>
    bus.consumer(to, (message) => message.reply(answer(message.body))),
  );
  await Promise.all(consumers.map(({ completion }) => completion));
  return bus;
}

/** Runs a snippet as the body of a function that has `scope` for its names. */
async function run({ imports, code }, scope) {
  const AsyncFunction = (async () => {}).constructor;
  const loads = imports
    .filter((line) => line.includes('"node:'))
    .map((line) => line.replace(/import (.*) from (".*");/, "const $1 = await import($2);"));
  const script = ts.transpile(code.replaceAll("export ", ""), { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext });
  const body = `"use strict"; {\n${loads.join("")}${script}\n}`;
  await new AsyncFunction(...Object.keys(scope), body)(...Object.values(scope));
}
