// One connection for all tabs of an origin.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launchBrowser } from "../support-js/browser.mjs";
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
