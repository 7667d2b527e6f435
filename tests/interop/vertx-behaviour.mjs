// What programs see of Vert.x's JavaScript client: facts, each with its outcome. They hold for the
// published package; where they do not for ours, `vertx-differences.mjs` says so. Runs in Node and in
// pages alike. A fact with `scripted` needs a server that tells what it heard and says what it is told.

import { Inbox, within } from "../support-js/waiting.mjs";

const NOBODY = "nobody.consumes.this";
const QUICK = {
  vertxbus_reconnect_delay_min: 10,
  vertxbus_reconnect_delay_max: 20,
  vertxbus_randomization_factor: 0.1,
};

/** Text of what was thrown, or "nothing". */
const thrown = (action) => {
  try {
    action();
  } catch (error) {
    return error.message || error.name;
  }
  return "nothing";
};

const answerOf = (bus, ...send) =>
  within(new Promise((resolve) => bus.send(...send, (...args) => resolve(args))), `no answer to ${send[0]}`);

/** Waits until the server has handled all that was said before. */
const settled = (bus) => answerOf(bus, NOBODY, null);

const keys = (value) => Object.keys(value).sort();
const shape = ([failure, message]) => (failure ? ["failure", keys(failure), failure.failureType] : message.body);

/** An inbox with what an address gets. */
const listen = (bus, address) => {
  const inbox = new Inbox(address);
  bus.registerHandler(address, (error, message) => inbox.push(error ?? message));
  return inbox;
};

/** Waits until what was published before has come back: by the same way, on which nothing overtakes. */
const delivered = async (stage, bus) => {
  const to = stage.address();
  const fence = listen(bus, to);
  bus.publish(to, null);
  await fence.next();
};

/** The names of the bus's events as they come, and `next` for the next of them. */
const watch = (bus) => {
  const events = new Inbox("events");
  for (const name of ["onopen", "onclose", "onreconnect"]) bus[name] = () => events.push(name);
  return events;
};

const facts = [];
const fact = (name, run, is) => facts.push({ name, run, is });
const scriptedFact = (name, run, is) => facts.push({ name, run, is, scripted: true });

// The class.

fact("the class has the four constants", ({ EventBus }) => {
  const { CONNECTING, OPEN, CLOSING, CLOSED } = EventBus;
  return [CONNECTING, OPEN, CLOSING, CLOSED];
}, [0, 1, 2, 3]);

fact("a method that a program puts into the prototype is the one that replies use", async (stage) => {
  class Mine extends stage.EventBus {
    send(address, body, ...rest) {
      super.send(address, body === "reply" ? "changed" : body, ...rest);
    }
  }
  const bus = await stage.open({}, Mine);
  const to = stage.address();
  bus.registerHandler(to, (_, message) => message.reply("reply"));
  return shape(await answerOf(bus, to, 1));
}, "changed");

const settings = (bus) => [
  bus.pingInterval, String(bus.maxReconnectAttempts), bus.reconnectDelayMin, bus.reconnectDelayMax,
  bus.reconnectExponent, bus.randomizationFactor,
];

fact("a new bus connects, and has its defaults", (stage) => {
  const bus = stage.make();
  const { state, defaultHeaders, reconnectEnabled, reconnectAttempts } = bus;
  return [state, defaultHeaders, reconnectEnabled, reconnectAttempts, keys(bus.handlers), settings(bus)];
}, [0, null, false, 0, [], [5000, "Infinity", 1000, 5000, 2, 0.5]]);

const options = (ping, attempts, least, most, exponent, factor) => ({
  vertxbus_ping_interval: ping,
  vertxbus_reconnect_attempts_max: attempts,
  vertxbus_reconnect_delay_min: least,
  vertxbus_reconnect_delay_max: most,
  vertxbus_reconnect_exponent: exponent,
  vertxbus_randomization_factor: factor,
});

fact("options are found in the properties named for them", (stage) =>
  settings(stage.make(options(1, 2, 3, 4, 5, 0.6))), [1, "2", 3, 4, 5, 0.6]);

fact("zero as an option", (stage) => settings(stage.make(options(0, 0, 0, 0, 0, 0))), [
  5000, "Infinity", 1000, 5000, 2, 0.5,
]);

fact("a URL that is none for HTTP", async (stage) => {
  let bus;
  const error = thrown(() => (bus = stage.make({}, stage.EventBus, "ftp://127.0.0.1/bus")));
  if (error !== "nothing") return "throws";
  const event = await within(new Promise((resolve) => (bus.onclose = resolve)), "no onclose");
  return ["onclose", event.code];
}, "throws");

scriptedFact("options of SockJS", async (stage) => {
  await stage.open({ sessionId: () => "chosen-by-the-program" });
  return (await stage.server.path()).includes("chosen-by-the-program");
}, true);

// Opening and closing.

fact("unless open, everything that sends throws INVALID_STATE_ERR", (stage) => {
  const bus = stage.make();
  return [
    thrown(() => bus.send("a", 1)),
    thrown(() => bus.publish("a", 1)),
    thrown(() => bus.registerHandler("a", () => {})),
    thrown(() => bus.unregisterHandler("a", () => {})),
  ];
}, Array(4).fill("INVALID_STATE_ERR"));

fact("in onopen the bus is open", async (stage) => {
  const bus = stage.make();
  return within(new Promise((resolve) => (bus.onopen = () => resolve(bus.state))), "no onopen");
}, 1);

scriptedFact("a ping is said before anything else", async (stage) => {
  const bus = stage.make();
  await within(new Promise((resolve) => {
    bus.onopen = () => (bus.registerHandler("a", () => {}), resolve());
  }), "no onopen");
  await settled(bus);
  return (await stage.server.heard()).slice(0, 2).map(({ type }) => type);
}, ["ping", "register"]);

fact("close closes once, with an event", async (stage) => {
  const bus = await stage.open();
  const events = new Inbox("onclose");
  bus.onclose = (event) => events.push([bus.state, event.type, event.code, event.reason, event.wasClean]);
  bus.close();
  const at = bus.state;
  const event = await events.next();
  return [at, event, thrown(() => bus.send("a", 1)), events.waiting];
}, [2, [3, "close", 1000, "Normal closure", true], "INVALID_STATE_ERR", 0]);

fact("close while connecting closes, and nothing opens", async (stage) => {
  const bus = stage.make();
  const events = watch(bus);
  bus.close();
  return [bus.state, await events.next(), bus.state, events.waiting];
}, [2, "onclose", 3, 0]);

fact("close once more, after the end", async (stage) => {
  const bus = await stage.open();
  const events = watch(bus);
  bus.close();
  await events.next();
  bus.close();
  return bus.state;
}, 2);

fact("over a WebSocket, what was sent before close arrives", async (stage) => {
  if (stage.transport !== "websocket") return "last words";
  const [one, other] = [await stage.open(), await stage.open()];
  const to = stage.address();
  const inbox = listen(other, to);
  await settled(other);
  one.publish(to, "last words");
  one.close();
  return (await inbox.next()).body;
}, "last words");

// What goes over the wire.

const heardAfter = async (stage, say) => {
  const bus = await stage.open();
  say(bus);
  await settled(bus);
  const envelopes = await stage.server.heard();
  return envelopes.filter(({ type, address }) => type !== "ping" && address !== NOBODY);
};

scriptedFact("send and publish say these envelopes", (stage) =>
  heardAfter(stage, (bus) => {
    bus.send("a", { x: 1 });
    bus.send("b", [2], { h: "v" });
    bus.send("c");
    bus.publish("d", null, { h: "v" });
  }), [
  { type: "send", address: "a", headers: {}, body: { x: 1 } },
  { type: "send", address: "b", headers: { h: "v" }, body: [2] },
  { type: "send", address: "c", headers: {} },
  { type: "publish", address: "d", headers: { h: "v" }, body: null },
]);

scriptedFact("a request has a reply address of at most 36 characters", async (stage) => {
  const [{ replyAddress, ...rest }] = await heardAfter(stage, (bus) => bus.send("x", 1, () => {}));
  return [rest, typeof replyAddress, replyAddress.length <= 36];
}, [{ type: "send", address: "x", headers: {}, body: 1 }, "string", true]);

scriptedFact("several handlers of an address are one registration", (stage) =>
  heardAfter(stage, (bus) => {
    const [one, other] = [() => {}, () => {}];
    bus.registerHandler("a", { h: "v" }, one);
    bus.registerHandler("a", other);
    bus.unregisterHandler("a", one);
    bus.publish("between");
    bus.unregisterHandler("a", { h: "w" }, other);
  }), [
  { type: "register", address: "a", headers: { h: "v" } },
  { type: "publish", address: "between", headers: {} },
  { type: "unregister", address: "a", headers: { h: "w" } },
]);

scriptedFact("default headers go with everything, and those given win", (stage) =>
  heardAfter(stage, (bus) => {
    bus.defaultHeaders = { a: "1", b: "2" };
    bus.publish("p", 0, { b: "3", c: "4", a: undefined });
    bus.registerHandler("r", () => {});
    bus.send("s", 0);
    bus.defaultHeaders = null;
  }), [
  { type: "publish", address: "p", headers: { a: "1", b: "3", c: "4" }, body: 0 },
  { type: "register", address: "r", headers: { a: "1", b: "2" } },
  { type: "send", address: "s", headers: { a: "1", b: "2" }, body: 0 },
]);

fact("headers that were given, after default headers were added", async (stage) => {
  const bus = await stage.open();
  bus.defaultHeaders = { token: "t" };
  const headers = { mine: "m" };
  bus.publish(stage.address(), 1, headers);
  return keys(headers);
}, ["mine", "token"]);

scriptedFact("unregistering what is not registered says nothing", (stage) =>
  heardAfter(stage, (bus) => {
    bus.unregisterHandler("unknown", () => {});
    bus.registerHandler("known", () => {});
    bus.unregisterHandler("known", () => {});
  }), [{ type: "register", address: "known", headers: {} }]);

// Messages.

fact("a handler gets null and the envelope", async (stage) => {
  const bus = await stage.open();
  const to = stage.address();
  const got = new Promise((resolve) => bus.registerHandler(to, (...args) => resolve(args)));
  bus.publish(to, { x: [1] });
  const [error, message, ...more] = await within(got, "no message");
  return [error, keys(message), message.type, message.address === to, message.body, typeof message.reply, more];
}, [null, ["address", "body", "type"], "rec", true, { x: [1] }, "undefined", []]);

fact("headers are there when there are any", async (stage) => {
  const bus = await stage.open();
  const to = stage.address();
  const inbox = listen(bus, to);
  bus.publish(to, 1, { h: "v" });
  const message = await inbox.next();
  return [keys(message), message.headers];
}, [["address", "body", "headers", "type"], { h: "v" }]);

fact("a message that wants a reply has reply, which no loop finds", async (stage) => {
  const bus = await stage.open();
  const to = stage.address();
  const inbox = listen(bus, to);
  bus.send(to, 1, () => {});
  const message = await inbox.next();
  return [keys(message), typeof message.reply, Object.hasOwn(message, "reply")];
}, [["address", "body", "replyAddress", "type"], "function", true]);

fact("a reply's callback gets null and the reply", async (stage) => {
  const bus = await stage.open();
  const to = stage.address();
  bus.registerHandler(to, (_, message) => message.reply([message.body], { h: "v" }));
  const [error, reply, ...more] = await answerOf(bus, to, "q", { some: "header" });
  return [error, keys(reply), reply.type, reply.body, reply.headers, more];
}, [null, ["address", "body", "headers", "type"], "rec", ["q"], { h: "v" }, []]);

fact("a request that fails calls back with one argument of three keys", async (stage) => {
  const bus = await stage.open();
  const args = await answerOf(bus, NOBODY, "q");
  return [args.length, keys(args[0]), args[0].failureCode, args[0].failureType];
}, [1, ["failureCode", "failureType", "message"], -1, "NO_HANDLERS"]);

scriptedFact("a recipient's failure comes with its code and text", async (stage) => {
  const bus = await stage.open();
  const to = stage.address();
  const asked = listen(bus, to);
  const answer = answerOf(bus, to, "q");
  await asked.next();
  const { replyAddress: address } = (await stage.server.heard()).find(({ body }) => body === "q");
  await stage.server.say({ type: "err", address, failureCode: 7, failureType: "RECIPIENT_FAILURE", message: "no" });
  return answer;
}, [{ failureCode: 7, failureType: "RECIPIENT_FAILURE", message: "no" }]);

fact("a reply can ask back, to and fro", async (stage) => {
  const bus = await stage.open();
  const to = stage.address();
  const thanks = new Inbox("thanks");
  bus.registerHandler(to, (_, message) => message.reply("which?", {}, (_, more) => more.reply(`ok ${more.body}`)));
  bus.send(to, "q", (_, question) => question.reply("that", (error, last) => thanks.push([error, last.body])));
  return thanks.next();
}, [null, "ok that"]);

fact("bodies arrive as they were", async (stage) => {
  const bus = await stage.open();
  const bodies = [null, true, 0, -1.5, "", "Grüße 電車 🚎 \u2028\u0000", [], {}, { a: [{ b: null }] }];
  const to = stage.address();
  bus.registerHandler(to, (_, message) => message.reply(message.body));
  const replies = [];
  for (const body of bodies) replies.push((await answerOf(bus, to, body))[1].body);
  return replies;
}, [null, true, 0, -1.5, "", "Grüße 電車 🚎 \u2028\u0000", [], {}, { a: [{ b: null }] }]);

fact("five thousand messages in one go arrive in order", async (stage) => {
  const bus = await stage.open();
  const to = stage.address();
  const all = new Promise((resolve) => {
    const bodies = [];
    bus.registerHandler(to, (_, { body }) => bodies.push(body) === 5000 && resolve(bodies));
  });
  for (let number = 0; number < 5000; number += 1) bus.publish(to, number);
  const bodies = await within(all, "not all messages");
  return bodies.every((body, at) => body === at);
}, true);

fact("a number as an address is its text", async (stage) => {
  const bus = await stage.open();
  const inbox = listen(bus, 5);
  bus.publish(5, "five");
  return (await inbox.next()).address;
}, "5");

fact("an address that objects have as a property", async (stage) => {
  const bus = await stage.open();
  return thrown(() => bus.registerHandler("constructor", () => {})) === "nothing" ? "is registered" : "throws";
}, "throws");

fact("all handlers of an address get the same object", async (stage) => {
  const bus = await stage.open();
  const to = stage.address();
  const [one, other] = [listen(bus, to), listen(bus, to)];
  bus.publish(to, {});
  return (await one.next()) === (await other.next());
}, true);

fact("a function that is registered twice is called twice", async (stage) => {
  const bus = await stage.open();
  const to = stage.address();
  let calls = 0;
  const handler = () => (calls += 1);
  bus.registerHandler(to, handler);
  bus.registerHandler(to, handler);
  bus.publish(to, 1);
  await delivered(stage, bus);
  bus.unregisterHandler(to, handler);
  bus.publish(to, 2);
  await delivered(stage, bus);
  return calls;
}, 3);

fact("the handler behind one that unregisters itself", async (stage) => {
  const bus = await stage.open();
  const to = stage.address();
  const called = [];
  const first = () => (called.push("first"), bus.unregisterHandler(to, first));
  bus.registerHandler(to, first);
  bus.registerHandler(to, () => called.push("second"));
  bus.publish(to, 1);
  await delivered(stage, bus);
  return called;
}, ["first"]);

fact("an unregistered handler gets nothing more", async (stage) => {
  const bus = await stage.open();
  const to = stage.address();
  const handler = (_, message) => message.reply("here");
  bus.registerHandler(to, handler);
  const before = shape(await answerOf(bus, to, 1));
  bus.unregisterHandler(to, handler);
  return [before, shape(await answerOf(bus, to, 1))[2]];
}, ["here", "NO_HANDLERS"]);

fact("handlers and replyHandlers can be read", async (stage) => {
  const bus = await stage.open();
  const [one, other] = [() => {}, () => {}];
  bus.registerHandler("read", one);
  bus.registerHandler("read", other);
  const both = bus.handlers.read[0] === one && bus.handlers.read[1] === other;
  const answer = answerOf(bus, NOBODY, 1);
  const waiting = keys(bus.replyHandlers).length;
  await answer;
  bus.unregisterHandler("read", one);
  bus.unregisterHandler("read", other);
  return [both, waiting, keys(bus.replyHandlers).length, "read" in bus.handlers];
}, [true, 1, 0, false]);

scriptedFact("a reply counts once, and then nothing handles it", async (stage) => {
  const bus = await stage.open();
  const seen = new Inbox("seen");
  bus.onunhandled = (envelope) => seen.push(["unhandled", envelope.body]);
  const to = stage.address();
  listen(bus, to);
  bus.send(to, "q", (_, { body }) => seen.push(["reply", body]));
  await settled(bus);
  const { replyAddress: address } = (await stage.server.heard()).find(({ body }) => body === "q");
  for (const body of [1, 2]) await stage.server.say({ type: "rec", address, body });
  return seen.take(2);
}, [["reply", 1], ["unhandled", 2]]);

scriptedFact("replies and messages are called in the order in which they came", async (stage) => {
  const bus = await stage.open();
  const seen = new Inbox("seen");
  bus.registerHandler("news", (_, { body }) => seen.push(body));
  bus.send(NOBODY, "q", () => seen.push("answer"));
  await settled(bus);
  seen.push("-");
  const to = stage.address();
  listen(bus, to);
  bus.send(to, "r", () => seen.push("reply"));
  await settled(bus);
  const { replyAddress: address } = (await stage.server.heard()).find(({ body }) => body === "r");
  await stage.server.say(
    { type: "rec", address: "news", body: 1 },
    { type: "rec", address, body: 0 },
    { type: "rec", address: "news", body: 2 },
  );
  return seen.take(5);
}, ["answer", "-", 1, "reply", 2]);

// Errors, and what no handler is for.

fact("a refusal that belongs to no request goes to onerror", async (stage) => {
  const bus = await stage.open();
  const errors = new Inbox("onerror");
  bus.onerror = (error) => errors.push(error);
  bus.publish(undefined, 1);
  const { type, body } = await errors.next();
  return [type, body];
}, ["err", "missing_address"]);

scriptedFact("onerror gets the envelope as it came", async (stage) => {
  const bus = await stage.open();
  const errors = new Inbox("onerror");
  bus.onerror = (error) => errors.push(error);
  await stage.server.say({ type: "err", body: "access_denied" });
  return errors.next();
}, { type: "err", body: "access_denied" });

scriptedFact("an error for an address goes to all of its handlers", async (stage) => {
  const bus = await stage.open();
  const calls = new Inbox("calls");
  for (const name of ["one", "other"]) bus.registerHandler("a", (...args) => calls.push([name, ...args]));
  await stage.server.say({ type: "err", address: "a", failureCode: 1, failureType: "ERROR", message: "m", more: 2 });
  return calls.take(2);
}, ["one", "other"].map((name) => [name, { failureCode: 1, failureType: "ERROR", message: "m" }]));

scriptedFact("a text that is no JSON goes to onerror", async (stage) => {
  const bus = await stage.open();
  const errors = new Inbox("onerror");
  bus.onerror = (error) => errors.push(error);
  await stage.server.say("{no JSON");
  const error = await errors.next();
  return [keys(error), error.type, error.message, error.failureType.startsWith("SyntaxError")];
}, [["failureType", "message", "type"], "err", "{no JSON", true]);

scriptedFact("events go to onevent, and those that it leaves to onunhandled", async (stage) => {
  const bus = await stage.open();
  const seen = new Inbox("seen");
  bus.onevent = (...args) => (seen.push(args), args[0] === "mine");
  bus.onunhandled = (envelope) => seen.push(envelope);
  await stage.server.say({ event: "mine", message: 1 }, { event: "other", message: 2 }, { type: "odd" });
  return seen.take(4);
}, [["mine", 1], ["other", 2], { event: "other", message: 2 }, { type: "odd" }]);

fact("a request whose answer never comes", async (stage) => {
  const bus = await stage.open({ requestTimeout: 20 });
  const to = stage.address();
  bus.registerHandler(to, () => {});
  // Both wait on one clock, so that the shorter one is first however slow the machine is.
  const patience = new Promise((resolve) => setTimeout(resolve, 400, "no call"));
  const answer = new Promise((resolve) => bus.send(to, 1, (failure) => resolve(failure.failureType)));
  return Promise.race([answer, patience]);
}, "no call");

// Pings.

const pings = async (stage) => (await stage.server.heard()).filter(({ type }) => type === "ping").length;

scriptedFact("pings go at their interval", async (stage) => {
  const bus = await stage.open({ vertxbus_ping_interval: 20 });
  const many = async () => {
    while ((await pings(stage)) < 4) await settled(bus);
    return "many";
  };
  return within(many(), "no pings");
}, "many");

scriptedFact("enablePing pings at once, and false does not", async (stage) => {
  const bus = await stage.open({ vertxbus_ping_interval: 100_000 });
  const counts = [];
  for (const enable of [false, true, false]) {
    bus.enablePing(enable);
    await settled(bus);
    counts.push(await pings(stage));
  }
  return counts;
}, [1, 2, 2]);

scriptedFact("pings that were enabled twice and disabled", async (stage) => {
  const bus = await stage.open({ vertxbus_ping_interval: 20 });
  const first = bus.pingTimerID;
  bus.enablePing(true);
  bus.enablePing(false);
  await settled(bus);
  const before = await pings(stage);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await settled(bus);
  // Nothing else would ever end it.
  clearInterval(first);
  return (await pings(stage)) > before ? "go on" : "stop";
}, "go on");

fact("enablePing while connecting", (stage) =>
  thrown(() => stage.make().enablePing(true)) === "nothing" ? "is fine" : "throws", "throws");

// Loss and reconnecting.

fact("a lost connection stays lost", async (stage) => {
  const bus = await stage.open();
  const closes = new Inbox("onclose");
  bus.onclose = ({ type, code, wasClean }) => closes.push([type, code, wasClean]);
  await stage.gate.cut();
  return [await closes.next(), bus.state, bus.reconnectAttempts, bus.sockJSConn !== null];
}, [["close", 1006, false], 3, 0, true]);

fact("reconnecting tells onclose, onopen, onreconnect", async (stage) => {
  const bus = await stage.open(QUICK);
  bus.enableReconnect(true);
  const seen = new Inbox("seen");
  for (const name of ["onopen", "onclose", "onreconnect"])
    bus[name] = () => seen.push([name, bus.state, bus.reconnectAttempts]);
  await stage.gate.cut();
  return seen.take(3);
}, [["onclose", 3, 1], ["onopen", 1, 1], ["onreconnect", 1, 0]]);

fact("each failed attempt tells onclose, until there were enough", async (stage) => {
  const bus = await stage.open({ ...QUICK, vertxbus_reconnect_attempts_max: 2 });
  bus.enableReconnect(true);
  const seen = new Inbox("seen");
  bus.onclose = () => seen.push([bus.state, bus.reconnectAttempts, bus.sockJSConn === null]);
  await stage.gate.shut();
  return seen.take(3);
}, [[3, 1, true], [3, 2, true], [3, 2, false]]);

fact("attempts are counted anew after each connection", async (stage) => {
  const bus = await stage.open({ ...QUICK, vertxbus_reconnect_attempts_max: 1 });
  bus.enableReconnect(true);
  const events = watch(bus);
  const seen = [];
  for (let round = 0; round < 3; round += 1) {
    await stage.gate.cut();
    seen.push(...(await events.take(3)));
  }
  return seen;
}, Array(3).fill(["onclose", "onopen", "onreconnect"]).flat());

fact("a first connection that comes after a failed attempt is a reconnect", async (stage) => {
  await stage.gate.shut();
  const bus = stage.make(QUICK);
  bus.enableReconnect(true);
  const events = watch(bus);
  const first = await events.next();
  await stage.gate.open();
  let next;
  do next = await events.next();
  while (next === "onclose");
  return [first, next, await events.next()];
}, ["onclose", "onopen", "onreconnect"]);

fact("enableReconnect(false) ends the wait", async (stage) => {
  const bus = await stage.open({ vertxbus_reconnect_delay_min: 100_000, vertxbus_reconnect_delay_max: 100_000 });
  bus.enableReconnect(true);
  const events = watch(bus);
  await stage.gate.cut();
  await events.next();
  const before = bus.reconnectAttempts;
  bus.enableReconnect(false);
  await new Promise((resolve) => setTimeout(resolve));
  return [before, bus.reconnectAttempts, bus.state, events.waiting];
}, [1, 0, 3, 0]);

fact("close while waiting to reconnect", async (stage) => {
  const bus = await stage.open({ vertxbus_reconnect_delay_min: 100_000, vertxbus_reconnect_delay_max: 100_000 });
  bus.enableReconnect(true);
  const events = watch(bus);
  await stage.gate.cut();
  await events.next();
  if (thrown(() => bus.close()) !== "nothing") return ["throws", bus.state];
  return [await events.next(), bus.state];
}, ["throws", 2]);

/** Opens, loses, and opens again; gives the bus. */
const reopened = async (stage, prepare, options = {}) => {
  const bus = stage.make({ ...QUICK, ...options });
  bus.enableReconnect(true);
  const opens = new Inbox("onopen");
  bus.onopen = () => (prepare(bus), opens.push(null));
  await opens.next();
  await settled(bus);
  await stage.gate.cut();
  await opens.next();
  return bus;
};

/** The bodies that come to an address up to a fence. */
const publishAgain = async (stage, bus, to, bodies) => {
  bus.publish(to, "again");
  await delivered(stage, bus);
  return [...bodies];
};

fact("a handler after a reconnect that does not register it again", async (stage) => {
  const [to, bodies] = [stage.address(), []];
  let isFirst = true;
  const bus = await reopened(stage, (bus) => {
    if (isFirst) bus.registerHandler(to, (_, { body }) => bodies.push(body));
    isFirst = false;
  });
  return publishAgain(stage, bus, to, bodies);
}, []);

fact("the option keepHandlers: false", async (stage) => {
  const [to, bodies] = [stage.address(), []];
  let isFirst = true;
  const bus = await reopened(stage, (bus) => {
    if (isFirst) bus.registerHandler(to, (_, { body }) => bodies.push(body));
    isFirst = false;
  }, { keepHandlers: false });
  return publishAgain(stage, bus, to, bodies);
}, []);

fact("a new function registered in onopen gets each message once", async (stage) => {
  const [to, bodies] = [stage.address(), []];
  const bus = await reopened(stage, (bus) => bus.registerHandler(to, (_, { body }) => bodies.push(body)));
  return publishAgain(stage, bus, to, bodies);
}, ["again"]);

fact("the same function registered in onopen gets each message once", async (stage) => {
  const [to, bodies] = [stage.address(), []];
  const handler = (_, { body }) => bodies.push(body);
  const bus = await reopened(stage, (bus) => bus.registerHandler(to, handler));
  return publishAgain(stage, bus, to, bodies);
}, ["again"]);

fact("a handler registered after a login in onopen gets each message once", async (stage) => {
  const [to, bodies] = [stage.address(), []];
  const registered = new Inbox("registered");
  const bus = await reopened(stage, (bus) =>
    bus.send(NOBODY, "login", () => {
      bus.registerHandler(to, (_, { body }) => bodies.push(body));
      registered.push(null);
    }));
  await registered.take(2);
  return publishAgain(stage, bus, to, bodies);
}, ["again"]);

scriptedFact("registered in onopen, an address is registered once on the new connection", async (stage) => {
  const bus = await reopened(stage, (bus) => {
    bus.registerHandler("one", { a: "1" }, () => {});
    bus.registerHandler("two", () => {});
  });
  await settled(bus);
  const envelopes = await stage.server.heard();
  return envelopes.filter(({ type }) => type.includes("register"));
}, [
  { type: "register", address: "one", headers: { a: "1" } },
  { type: "register", address: "two", headers: {} },
]);

/** What a request's callback had got by the time of `onclose`. */
const fateOfRequest = async (stage, end) => {
  const bus = await stage.open();
  const to = stage.address();
  const asked = listen(bus, to);
  let fate = "no call";
  bus.send(to, 1, (failure) => (fate = [keys(failure), failure.failureType]));
  await asked.next();
  const closed = new Promise((resolve) => (bus.onclose = () => resolve(fate)));
  await end(bus);
  return within(closed, "no onclose");
};

fact("a request whose connection is lost", (stage) => fateOfRequest(stage, () => stage.gate.cut()), "no call");

fact("a request whose bus is closed", (stage) => fateOfRequest(stage, (bus) => bus.close()), "no call");

scriptedFact("reconnecting after a close that forbids it", async (stage) => {
  const bus = await stage.open({ vertxbus_reconnect_delay_min: 100_000, vertxbus_reconnect_delay_max: 100_000 });
  bus.enableReconnect(true);
  const closed = new Promise((resolve) => (bus.onclose = resolve));
  await stage.server.close(3004, "Kicked");
  const { code } = await within(closed, "no onclose");
  return [code, bus.sockJSConn === null ? "tries again" : "stays closed"];
}, [3004, "tries again"]);

// What lies below.

fact("sockJSConn tells readyState and transport", async (stage) => {
  const bus = await stage.open();
  return [bus.sockJSConn.readyState, bus.sockJSConn.transport === stage.transport];
}, [1, true]);

scriptedFact("sockJSConn sends texts as they are", (stage) =>
  heardAfter(stage, (bus) => bus.sockJSConn.send('{"type":"mine","address":"a"}')), [
  { type: "mine", address: "a" },
]);

fact("sockJSConn.close loses the connection, which opens again where that is enabled", async (stage) => {
  const bus = await stage.open(QUICK);
  bus.enableReconnect(true);
  const events = watch(bus);
  bus.sockJSConn.close();
  return events.take(3);
}, ["onclose", "onopen", "onreconnect"]);

fact("sockJSConn as an EventTarget of SockJS", async (stage) => {
  const bus = await stage.open();
  return typeof bus.sockJSConn.addEventListener;
}, "function");

fact("pingTimerID while pings go", async (stage) => {
  const bus = await stage.open();
  return bus.pingTimerID ? "is there" : "is not";
}, "is there");

/** Facts of pages only: in Node an exception that nobody catches ends the program. */
export const pageFacts = [
  {
    name: "an exception in a handler",
    run: async (stage) => {
      const bus = await stage.open();
      const to = stage.address();
      const errors = new Inbox("window's errors");
      globalThis.addEventListener("error", (event) => errors.push(event.message), { once: true });
      const called = [];
      bus.registerHandler(to, () => {
        throw new Error("on purpose");
      });
      bus.registerHandler(to, () => called.push("the next"));
      bus.publish(to, 1);
      const error = await errors.next();
      return [error.includes("on purpose"), called];
    },
    is: [true, []],
  },
];

export { facts };
