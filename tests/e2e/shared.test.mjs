// One connection for all tabs of an origin.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launchBrowser, openTab } from "../support-js/browser.mjs";
import { openRaw } from "../support-js/clients.mjs";
import { openOrigin, openSharingTab, socketsAre, startSite } from "../support-js/tabs.mjs";
import { within } from "../support-js/waiting.mjs";

let browser, running;
before(async () => ([browser, running] = await Promise.all([launchBrowser(), startSite()])));
after(() => Promise.all([browser?.close(), running?.stop("SIGKILL")]));

/** How a tab's connection is hosted, and what a page lacks for it to be so. */
const WAYS = {
  "a SharedWorker": undefined,
  "one of the tabs": () => delete globalThis.SharedWorker,
};

/** Waits for a message in a tab. */
const gets = (page, body) => within(page.evaluate((body) => arrived(body), body), `${body} in a tab`);

/** What a machine with other things to do may take, in milliseconds. */
const TAKEOVER_MAX = 3000;

/** Publishes numbers from 1 on, each 5 ms. */
const tick = async (t) => {
  const wire = await openRaw(t, running.socket);
  let number = 0;
  const timer = setInterval(() => wire.send({ type: "publish", address: "tick", body: (number += 1) }), 5);
  t.after(() => clearInterval(timer));
  return { number: () => number };
};

/** In a tab: the longest time without a message. */
const longestGap = () => Math.max(...inbox.slice(1).map(({ at }, index) => at - inbox[index].at));

/** Publishes until this tab has heard it while the other one has not. */
const untilAlone = (page, address) =>
  within(
    page.evaluate(async (address) => {
      for (let at = 0; ; at += 1) {
        await bus.publish(address, `alone ${at}`);
        if (await Promise.race([arrived(`alone ${at}`).then(() => true), new Promise((wake) => setTimeout(wake, 200))])) return;
      }
    }, address),
    "messages for the tab that stays",
  );

/** Publishes from one tab until another one hears it. */
const untilTwo = (page, address, other) => {
  const timer = setInterval(() => page.evaluate((address) => bus.publish(address, "both"), address).catch(() => {}), 50);
  return gets(other, "both").finally(() => clearInterval(timer));
};

const ENDS = {
  "is closed": (page) => page.close(),
  "goes to another page": (page) => page.goto("about:blank"),
  "crashes": async (page) => {
    const session = await page.context().newCDPSession(page);
    const crashed = new Promise((resolve) => page.once("crash", resolve));
    session.send("Page.crash").catch(() => {});
    await within(crashed, "the crash of a tab");
  },
};

for (const [way, init] of Object.entries(WAYS))
  describe(`with the connection in ${way}`, () => {
    const openTabs = async (t, count, options) => {
      const context = await openOrigin(t, browser);
      const tabs = [];
      for (let at = 0; at < count; at += 1) tabs.push(await openSharingTab(context, running, options, init));
      return tabs;
    };

    test("three tabs have one socket, and each gets what any of them publishes", async (t) => {
      const tabs = await openTabs(t, 3);
      for (const tab of tabs) await tab.evaluate(() => listen("news"));
      await socketsAre(running, 1);
      for (const [at, tab] of tabs.entries()) {
        await tab.evaluate((at) => void bus.publish("news", `from ${at}`), at);
        for (const other of tabs) await gets(other, `from ${at}`);
      }
      for (const tab of tabs) {
        assert.equal(await tab.evaluate(() => inbox.length), 3);
        assert.deepEqual(tab.mishaps, []);
      }
    });

    test("requests of each tab are answered, those to tabs by one tab in turn", async (t) => {
      const tabs = await openTabs(t, 3);
      const serve = (at) => bus.consumer("turn", (message) => message.reply(at)).completion;
      for (const [at, tab] of tabs.entries()) await tab.evaluate(serve, at);
      const ask = async () => (await bus.request("turn", null)).body;
      for (const tab of tabs) {
        const answers = [];
        for (const _ of tabs) answers.push(await tab.evaluate(ask));
        assert.deepEqual(answers.sort(), [0, 1, 2]);
      }
      const failure = await tabs[0].evaluate(() => bus.request("nobody").catch(({ kind }) => kind));
      assert.equal(failure, "NO_HANDLERS");
      await socketsAre(running, 1);
    });

    test("a conversation goes on over the replies", async (t) => {
      const [one, two] = await openTabs(t, 2);
      await one.evaluate(() => {
        const answer = async (message) => {
          const next = await message.request("who?");
          next.reply(`hello ${next.body}`);
        };
        return bus.consumer("door", answer).completion;
      });
      const said = await two.evaluate(async () => {
        const question = await bus.request("door", "knock");
        const answer = await question.request("two");
        return [question.body, answer.body];
      });
      assert.deepEqual(said, ["who?", "hello two"]);
    });

    test("the socket is closed when the last tab closes its bus, and registrations go with their tab", async (t) => {
      const [one, two] = await openTabs(t, 2);
      await one.evaluate(() => listen("of one"));
      const asked = () => two.evaluate(() => bus.request("of one", 1, { timeout: 100 }).catch(({ kind }) => kind));
      assert.equal(await asked(), "TIMEOUT");
      assert.equal(await one.evaluate(() => (bus.close(), new Promise((done) => (bus.onclose = (event) => done(event.code))))), 1000);
      for (let kind; kind !== "NO_HANDLERS"; ) kind = await asked();
      await socketsAre(running, 1);
      assert.equal(await two.evaluate(() => bus.status.name), "open");
      await two.evaluate(() => void bus.close());
      await socketsAre(running, 0);
    });

    test("what is under way when the host goes fails by name, and the next host takes over", async (t) => {
      const [one, two] = await openTabs(t, 2);
      await two.evaluate(() => listen("news"));
      // Answered by nobody: the page of the test consumes and is silent.
      const lost = two.evaluate(() => bus.request("news", "silence").catch(({ kind }) => kind));
      await gets(two, "silence");
      await ENDS.crashes(one);
      assert.equal(await within(lost, "the end of the request"), "CONNECTION_LOST");
      await within(two.evaluate(() => bus.opened()), "the next host");
      assert.deepEqual(await two.evaluate(() => states), ["connecting", "open"]);
      const error = await two.evaluate(() => lastRequest.reply("late").catch(({ kind }) => kind));
      assert.equal(error, "CLOSED");
      await two.evaluate(() => bus.publish("news", "from the next"));
      await gets(two, "from the next");
    });

    test("a tab that does not keep up loses messages, hears how many, and costs the others nothing", async (t) => {
      const [one, two] = await openTabs(t, 2);
      for (const tab of [one, two]) await tab.evaluate(() => listen("flood"));
      let letGo;
      const held = new Promise((resolve) => (letGo = resolve));
      await two.route("**/held", async (route) => {
        await held;
        await route.fulfill({ body: "" });
      });
      const asked = two.waitForRequest("**/held");
      // A page that waits for such a request runs nothing else.
      const asleep = two.evaluate(() => {
        const request = new XMLHttpRequest();
        request.open("GET", "/held", false);
        request.send();
      });
      await asked;
      const COUNT = 2500;
      await one.evaluate(async (count) => {
        for (let at = 1; at <= count; at += 1) {
          await bus.publish("flood", at);
          // So that no outbox is full.
          if (at % 100 === 0) await arrived(at);
        }
      }, COUNT);
      assert.equal(await one.evaluate(() => inbox.length), COUNT);
      letGo();
      await asleep;
      // What waited for it, and one that tells what was lost.
      const got = two.evaluate(async (count) => {
        for (let at = count + 1; ; at += 1) {
          await bus.publish("flood", at);
          await Promise.race([arrived(at), new Promise((wake) => setTimeout(wake, 100))]);
          const told = inbox.findIndex(({ dropped }) => dropped);
          if (told >= 0) return { told, dropped: inbox[told].dropped, body: inbox[told].body };
        }
      }, COUNT);
      const { told, dropped, body } = await within(got, "a message that tells what was lost");
      assert.ok(told > 900 && told <= 1000, `${told}`);
      assert.equal(dropped, body - 1 - told);
    });

    test("a page that goes into the browser's cache and comes back takes up its registrations", async (t) => {
      const [one, two] = await openTabs(t, 2);
      for (const tab of [one, two]) await tab.evaluate(() => listen("news"));
      const turn = (page, type) =>
        page.evaluate((type) => void dispatchEvent(new PageTransitionEvent(type, { persisted: true })), type);
      await turn(one, "pagehide");
      await within(two.evaluate(() => bus.opened()), "the bus of the other tab");
      await untilAlone(two, "news");
      await turn(one, "pageshow");
      await within(one.evaluate(() => bus.opened()), "the bus that is back");
      await untilTwo(two, "news", one);
      await socketsAre(running, 1);
    });

    for (const [end, finish] of Object.entries(ENDS))
      test(`when the tab that was first ${end}, the others go on`, async (t) => {
        const [one, ...others] = await openTabs(t, 3);
        for (const tab of others) await tab.evaluate(() => listen("tick"));
        const ticks = await tick(t);
        for (const tab of others) await gets(tab, 1);
        const before = await socketsAre(running, 2);
        await finish(one);
        const last = ticks.number() + 20;
        for (const tab of others) await gets(tab, last);
        // The other socket is that of the ticks.
        const after = await socketsAre(running, 2);
        const gaps = await Promise.all(others.map((tab) => tab.evaluate(longestGap)));
        const isNew = after.some(({ id }) => before.every((known) => known.id !== id));
        t.diagnostic(`${isNew ? "another" : "the same"} socket; nothing arrived for ${gaps.join(" and ")} ms`);
        assert.ok(Math.max(...gaps) < TAKEOVER_MAX, `${gaps}`);
        if (init) assert.ok(isNew);
      });
  });

test("tabs share what has the same URL and options, or the same name", async (t) => {
  const context = await openOrigin(t, browser);
  const open = (options) => openSharingTab(context, running, options);
  await open({ shared: true });
  await open({ shared: true, vertxbus_ping_interval: 4000 });
  await socketsAre(running, 2);
  await open({ shared: { name: "ours" } });
  await open({ shared: { name: "ours" }, vertxbus_ping_interval: 4000 });
  await socketsAre(running, 3);
  await open({ shared: { via: "none" } });
  await socketsAre(running, 4);
});

test("where the script of the worker is missing, a tab hosts", async (t) => {
  const context = await openOrigin(t, browser);
  const options = { shared: { worker: "/nowhere.js" } };
  const tabs = [];
  for (let at = 0; at < 2; at += 1) tabs.push(await openSharingTab(context, running, options));
  for (const tab of tabs) await tab.evaluate(() => listen("news"));
  await tabs[0].evaluate(() => bus.publish("news", "hello"));
  for (const tab of tabs) await gets(tab, "hello");
  await socketsAre(running, 1);
});

test("where there are no locks, each tab has a connection of its own", async (t) => {
  const context = await openOrigin(t, browser);
  const init = () => Object.defineProperty(navigator, "locks", { value: undefined });
  for (let at = 0; at < 2; at += 1) await openSharingTab(context, running, { shared: true }, init);
  await socketsAre(running, 2);
});

test("one tab is asked for the token, and when it is gone another", async (t) => {
  const context = await openOrigin(t, browser);
  const tabs = [];
  for (let at = 0; at < 2; at += 1) {
    const page = await openTab(context, `${running.origin}/`);
    tabs.push(page);
    await page.evaluate(async () => {
      const { connect } = await import("/sdk/index.js");
      globalThis.asked = 0;
      // An empty one means none.
      const token = () => ((asked += 1), "");
      globalThis.bus = await connect("/eventbus", { shared: true, token });
    });
  }
  const asked = () => Promise.all(tabs.map((page) => page.evaluate(() => asked)));
  assert.deepEqual(await asked(), [1, 0]);
  await tabs.shift().close();
  await tabs[0].evaluate(() => {
    globalThis.back = new Promise((resolve) => bus.addEventListener("open", resolve, { once: true }));
    bus.reconnect();
  });
  await within(tabs[0].evaluate(() => back.then(() => {})), "the next connection");
  assert.deepEqual(await asked(), [1]);
});
