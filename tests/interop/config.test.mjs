// Mistakes in a configuration: exit code 2, with the file, the key and what is allowed.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { needed } from "../support-js/needs.mjs";
import { Program, run } from "../support-js/process.mjs";
import { configuration } from "../support-js/server.mjs";

const CLI = needed("TROLLEYBUS_BIN");

const MISTAKES = [
  ["an unknown key", { bridge: { ping_timeout: 5 } }, ["bridge.ping_timeout", "ping_timeout_ms"]],
  ["an unknown section", { brigde: {} }, ["brigde", "bridge"]],
  ["a value of another type", { server: { listen: 5 } }, ["server.listen", "socket address"]],
  ["an address without a port", { server: { listen: "127.0.0.1" } }, ["server.listen"]],
  ["a limit of 0", { bridge: { max_address_length: 0 } }, ["bridge.max_address_length", "at least 1"]],
  ["a time of 0", { bridge: { reply_timeout_ms: 0 } }, ["bridge.reply_timeout_ms", "at least 1"]],
  ["a transport that is none", { sockjs: { disabled_transports: ["smoke"] } }, ["sockjs.disabled_transports", "smoke", "xhr-polling"]],
  ["a bad expression", { bridge: { outbound_permitted: [{}, { address_regex: "(" }] } }, ["bridge.outbound_permitted[1].address_regex"]],
  ["a path without slash", { server: { path: "bus" } }, ["server.path", "/eventbus"]],
  ["a client URL of another scheme", { sockjs: { client_url: "ftp://x" } }, ["sockjs.client_url", "http"]],
  ["what is no TOML", "[server", ["line 1"]],
];

for (const [name, sections, mentioned] of MISTAKES) {
  test(`${name} is named with its key and what is allowed`, async (t) => {
    const { file, remove } = await configuration(sections);
    t.after(remove);
    for (const args of [["serve", "--config", file], ["check-config", file]]) {
      const { code, out, err } = await run(CLI, args);
      assert.deepEqual([code, out], [2, ""], err);
      for (const part of [file, ...mentioned]) assert.ok(err.includes(part), `${part} is not in: ${err}`);
    }
  });
}

test("a file that is not there is named", async () => {
  const { code, err } = await run(CLI, ["serve", "--config", "/nowhere/trolleybus.toml"]);
  assert.equal(code, 2);
  assert.match(err, /cannot read \/nowhere\/trolleybus\.toml/);
});

test("a mistake in the environment is named", async () => {
  const env = { TROLLEYBUS_BRIDGE__PING_TIMEOUT_MS: "0" };
  const { code, err } = await run(CLI, ["serve", "--listen", "127.0.0.1:0"], { env });
  assert.equal(code, 2);
  assert.match(err, /TROLLEYBUS_BRIDGE__PING_TIMEOUT_MS.*bridge\.ping_timeout_ms/);
});

test("a wrong argument ends with exit code 2", async () => {
  const { code, err } = await run(CLI, ["serve", "--lisen", "127.0.0.1:0"]);
  assert.equal(code, 2);
  assert.match(err, /--listen/);
});

test("the configuration that default-config prints has no mistakes", async (t) => {
  const { code, out } = await run(CLI, ["default-config"]);
  assert.equal(code, 0);
  const { file, remove } = await configuration(out);
  t.after(remove);
  assert.equal(await readFile(file, "utf8"), out);
  const checked = await run(CLI, ["check-config", file]);
  assert.equal(checked.code, 0, checked.err);
});

test("a folder without a site is named, with how to make it", async () => {
  const { code, err } = await run(CLI, ["demo", "--listen", "127.0.0.1:0", "--www", "/nowhere"]);
  assert.equal(code, 1);
  assert.match(err, /\/nowhere.*cargo xtask build/);
});

test("SIGHUP takes over the rules of the file, and a broken file leaves them as they are", async (t) => {
  const rules = (rules) => `[server]\nlisten = "127.0.0.1:0"\n[bridge]\ninbound_permitted = ${rules}\n`;
  const { file, remove } = await configuration(rules("[]"));
  t.after(remove);
  const program = new Program(CLI, ["serve", "--config", file]);
  t.after(() => program.stop("SIGKILL"));
  const [origin] = await program.line(/http:\/\/[^\s/]+/);
  // One session over polling requests, so that it is the same one before and after.
  const post = async (path, body) => {
    const answer = await fetch(`${origin}/eventbus/000/session/${path}`, { method: "POST", body });
    return answer.text();
  };
  assert.equal(await post("xhr"), "o\n");
  const word = async () => {
    await post("xhr_send", JSON.stringify([JSON.stringify({ type: "send", address: "nobody", replyAddress: "r" })]));
    const [envelope] = JSON.parse((await post("xhr")).slice(1));
    const { body, failureType } = JSON.parse(envelope);
    return body ?? failureType;
  };
  const reload = async (text, said) => {
    await writeFile(file, text);
    program.child.kill("SIGHUP");
    while (!said.test(await program.errors.next()));
  };
  assert.equal(await word(), "access_denied");
  await reload(rules('[{ address = "nobody" }]'), /the rules were read again/);
  assert.equal(await word(), "NO_HANDLERS");
  await reload(rules('[{ address_regex = "(" }]'), /bridge\.inbound_permitted\[0\]\.address_regex/);
  assert.equal(await word(), "NO_HANDLERS");
});

test("a log that nobody sees on a terminal has no colours", async (t) => {
  const { file, remove } = await configuration('[server]\nlisten = "127.0.0.1:0"\n');
  t.after(remove);
  const program = new Program(CLI, ["serve", "--config", file], { TROLLEYBUS_LOG: "debug", NO_COLOR: "" });
  t.after(() => program.stop("SIGKILL"));
  const [origin] = await program.line(/http:\/\/[^\s/]+/);
  assert.equal((await fetch(`${origin}/eventbus/info`)).status, 200);
  // Level and fields are what has colours.
  while (!/ DEBUG .*=/.test(await program.errors.next()));
  assert.doesNotMatch(program.complaints, /\u001b/);
});
