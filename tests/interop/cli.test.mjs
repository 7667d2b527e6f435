// `trolleybus publish`, `send`, `request` and `subscribe` against a server, and the published client beside them.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { address, listen, openBuses, openRaw } from "../support-js/clients.mjs";
import { needed } from "../support-js/needs.mjs";
import { Program, run } from "../support-js/process.mjs";
import { freePort, serve } from "../support-js/server.mjs";

const OPEN = [{ address_regex: "open\\..*" }];
const CLI = needed("TROLLEYBUS_BIN");

let running;
before(async () => (running = await serve({ bridge: { inbound_permitted: OPEN, outbound_permitted: OPEN } })));
after(() => running?.stop());

const cli = (args, options) => run(CLI, [...args, "--url", running.bridge], options);
const open = (name) => address(`open.${name}`);

async function succeeds(args, options) {
  const { code, out, err } = await cli(args, options);
  assert.equal(code, 0, err);
  return out;
}

async function fails(args, complaint, options) {
  const { code, out, err } = await cli(args, options);
  assert.match(err, complaint);
  assert.deepEqual([code, out], [1, ""]);
}

/** A `subscribe` that the server knows of. */
async function subscribe(t, ...args) {
  const program = new Program(CLI, ["subscribe", ...args, "--url", running.bridge]);
  t.after(() => program.stop());
  for (;;) if ((await program.errors.next()).startsWith("subscribed")) return program;
}

describe("publish", () => {
  const BODIES = [
    [["{\"price\": 1.10}"], {}, { price: 1.1 }],
    [["\"goal 🚎\""], {}, "goal 🚎"],
    [["-"], { input: "[1,\n2]" }, [1, 2]],
    [[], { input: "true\n" }, true],
    [["--text", "plain \"text\""], {}, "plain \"text\""],
    [["--text", "-"], { input: "two\nlines\n" }, "two\nlines\n"],
  ];
  for (const [args, options, body] of BODIES) {
    const name = `${args.join(" ")}${options.input ? ` with ${JSON.stringify(options.input)} as input` : ""}`;
    test(`${name} arrives as ${JSON.stringify(body)}`, async (t) => {
      const [bus] = await openBuses(t, running.bridge, "websocket");
      const inbox = await listen(bus, open("news"));
      assert.equal(await succeeds(["publish", inbox.name, ...args], options), "");
      assert.deepEqual((await inbox.next()).body, body);
    });
  }

  test("keeps every digit", async (t) => {
    const raw = await openRaw(t, running.socket);
    const to = open("digits");
    raw.send({ type: "register", address: to });
    await raw.settled();
    await succeeds(["publish", to, "123456789012345678901234567890.10"]);
    assert.match(String(await raw.frames.next()), /"body":123456789012345678901234567890\.10[,}]/);
  });

  test("takes headers, also empty ones and with an equals sign", async (t) => {
    const [bus] = await openBuses(t, running.bridge, "websocket");
    const inbox = await listen(bus, open("news"));
    await succeeds(["publish", inbox.name, "1", "--header", "line=12", "-H", "sum=1=1", "-H", "empty="]);
    assert.deepEqual((await inbox.next()).headers, { line: "12", sum: "1=1", empty: "" });
  });

  test("of what is no JSON says how to write it", () =>
    fails(["publish", "open.news", "goal"], /the body is not JSON .*--text/));

  test("to an address that is not permitted says so", () =>
    fails(["publish", "closed", "1"], /refused.*(access_denied|no rule permits)/));

  test("without a server says so", async () => {
    const url = `http://127.0.0.1:${await freePort()}/eventbus`;
    const { code, err } = await run(CLI, ["publish", "open.news", "1", "--url", url]);
    assert.match(err, new RegExp(`cannot connect to ${url}`));
    assert.equal(code, 1);
  });

  test("with a header that is none says how it must look", () =>
    fails(["publish", "open.news", "1", "-H", "line"], /header `line` must look like NAME=VALUE/));
});

describe("send", () => {
  test("reaches one of two", async (t) => {
    const [one, two] = await openBuses(t, running.bridge, "websocket", "websocket");
    const work = open("work");
    const inboxes = [await listen(one, work), await listen(two, work)];
    await succeeds(["send", work, "1"]);
    await succeeds(["send", work, "2"]);
    const bodies = await Promise.all(inboxes.map((inbox) => inbox.next()));
    assert.deepEqual(bodies.map(({ body }) => body).sort(), [1, 2]);
  });

  test("to an address that is not permitted says so", () =>
    fails(["send", "closed", "1"], /refused.*(access_denied|no rule permits)/));
});

describe("request", () => {
  test("prints the body of the reply as one line of JSON", async (t) => {
    const raw = await openRaw(t, running.socket);
    const to = open("service");
    raw.send({ type: "register", address: to });
    await raw.settled();
    const answer = succeeds(["request", to, '{"a":1}']);
    const { body, replyAddress } = await raw.next();
    assert.deepEqual(body, { a: 1 });
    raw.send(`{"type":"send","address":"${replyAddress}","body":{"price":\n1.10}}`);
    assert.equal(await answer, '{"price": 1.10}\n');
  });

  test("to nobody fails with NO_HANDLERS", () => fails(["request", open("nobody"), "1"], /NO_HANDLERS|[Nn]o handlers/));

  test("that is not permitted says so", () => fails(["request", "closed", "1"], /access_denied|no rule permits/));

  test("that the recipient fails tells code and message", async (t) => {
    const raw = await openRaw(t, running.socket);
    const to = open("service");
    raw.send({ type: "register", address: to });
    await raw.settled();
    const failed = fails(["request", to, "1"], /4711[^]*no seats|no seats[^]*4711/);
    const { replyAddress } = await raw.next();
    raw.send({ type: "send", address: replyAddress, failureCode: 4711, message: "no seats" });
    await failed;
  });

  test("that nobody answers fails after --timeout", async (t) => {
    const raw = await openRaw(t, running.socket);
    const to = open("silent");
    raw.send({ type: "register", address: to });
    await raw.settled();
    await fails(["request", to, "1", "--timeout", "1"], /[Tt]imed out|TIMEOUT/);
  });
});

describe("subscribe", () => {
  test("prints one JSON document per message", async (t) => {
    const news = open("news");
    const program = await subscribe(t, news);
    const [bus] = await openBuses(t, running.bridge, "websocket");
    bus.publish(news, { lines: "two\nlines" }, { a: "b" });
    bus.publish(news, null);
    const documents = (await program.lines.take(2)).map((line) => JSON.parse(line));
    const first = { address: news, body: { lines: "two\nlines" }, headers: { a: ["b"] } };
    assert.deepEqual(documents, [first, { address: news, body: null }]);
  });

  test("of several addresses with --count and --body prints so many bodies and ends", async (t) => {
    const [news, work] = [open("news"), open("work")];
    const program = await subscribe(t, news, work, "--count", "3", "--body");
    const [bus] = await openBuses(t, running.bridge, "websocket");
    bus.publish(news, "one");
    assert.equal(await program.lines.next(), '"one"');
    bus.send(work, 2);
    assert.equal(await program.lines.next(), "2");
    bus.publish(news, [3]);
    bus.publish(news, 4);
    assert.equal(await program.ended(), 0);
    assert.equal(program.said, '"one"\n2\n[3]\n');
  });

  test("to an address that is not permitted says so", () =>
    fails(["subscribe", "closed"], /refused.*(access_denied|no rule permits)/));

  test("of a pattern prints what it means, with the real addresses", async (t) => {
    const root = open("news");
    const program = await subscribe(t, "--pattern", `${root}.*`, "--count", "2");
    const [bus] = await openBuses(t, running.bridge, "websocket");
    for (const last of ["sport", "sport.late", "weather"]) bus.publish(`${root}.${last}`, 1);
    const addresses = (await program.lines.take(2)).map((line) => JSON.parse(line).address);
    assert.deepEqual(addresses, [`${root}.sport`, `${root}.weather`]);
  });

  test("ends with exit code 0 when it is stopped", async (t) => {
    const program = await subscribe(t, open("news"));
    assert.equal(await program.stop("SIGINT"), 0);
  });
});

describe("a server that wants a token", () => {
  const SECRET = "a secret of at least thirty-two bytes";
  let [guarded, folder, token] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "trolleybus-secret-"));
    const file = join(folder, "secret");
    await writeFile(file, SECRET);
    const bridge = { inbound_permitted: [{ address: "user.${sub}.inbox" }], outbound_permitted: [] };
    guarded = await serve({ auth: { required: true, secret: SECRET, grace_ms: 500 }, bridge });
    token = (await run(CLI, ["token", "--sub", "ada", "--secret-file", file])).out.trim();
    await writeFile(join(folder, "token"), `${token}\n`);
  });
  after(async () => {
    await guarded?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const publish = (to, args, env) =>
    run(CLI, ["publish", to, "1", "--url", guarded.bridge, ...args], { env });

  test("takes it from --token, a file, or the environment", async () => {
    const ways = [
      [["--token", token]],
      [["--token", `@${join(folder, "token")}`]],
      [[], { TROLLEYBUS_TOKEN: token }],
    ];
    for (const [args, env] of ways) {
      const { code, err } = await publish("user.ada.inbox", args, env);
      assert.equal(code, 0, err);
      assert.match((await publish("user.bob.inbox", args, env)).err, /access_denied|no rule permits/);
    }
  });

  test("is not served without one", async () => {
    assert.equal((await publish("user.ada.inbox", [])).code, 1);
    const { code, err } = await publish("user.ada.inbox", ["--token", "@/nowhere"]);
    assert.match(err, /cannot read the token in \/nowhere/);
    assert.equal(code, 1);
  });
});

test("--ca that is no certificate is named", () =>
  fails(["publish", "open.news", "1", "--ca", "/dev/null"], /\/dev\/null is no use as --ca/));
