// The client in Firefox: every transport, and a server that goes away and comes back.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launchFirefox, openInFirefox } from "../support-js/firefox.mjs";
import { startDemo } from "../support-js/gallery.mjs";
import { assertNoMishaps, seen, submit } from "../support-js/page.mjs";
import { freePort } from "../support-js/server.mjs";

const TRANSPORTS = ["websocket", "xhr-streaming", "eventsource", "xhr-polling"];

let firefox, running;
before(async () => ([firefox, running] = await Promise.all([launchFirefox(), startDemo("--open-bridge")])));
after(() => Promise.all([firefox?.close(), running?.stop("SIGKILL")]));

/** A page with a bus in it: `bus`, and `was(state)`, which resolves when it has been in that state. */
async function openBus(t, origin, options = {}) {
  const page = await openInFirefox(t, firefox, `${origin}/plain.html`);
  await page.evaluate(async (options) => {
    const { EventBus } = await import("/sdk/index.js");
    window.bus = new EventBus("/eventbus", options);
    const states = new Map();
    const state = (name) => {
      if (!states.has(name)) states.set(name, Promise.withResolvers());
      return states.get(name);
    };
    window.bus.onstate = ({ name }) => state(name).resolve();
    window.was = (name) => state(name).promise;
    await window.bus.opened();
  }, options);
  return page;
}

for (const transport of TRANSPORTS) {
  describe(`${transport}:`, () => {
    test("the page uses the transport it was told to, and closes it", async (t) => {
      const page = await openBus(t, running.origin, { transports: [transport] });
      assert.equal(await page.evaluate(() => window.bus.transport), transport);
      await page.evaluate(() => {
        window.bus.close();
        return window.was("closed");
      });
      assertNoMishaps(page);
    });

    test("what one page publishes another consumes, in order", async (t) => {
      const pages = await Promise.all([1, 2].map(() => openBus(t, running.origin, { transports: [transport] })));
      const news = `news.${transport}`;
      const [publishing, consuming] = pages;
      await consuming.evaluate(async (news) => {
        window.news = [];
        window.whole = new Promise((resolve) => {
          window.consumer = window.bus.consumer(news, ({ body }) => {
            window.news.push(body);
            if (window.news.length === 200) resolve(window.news);
          });
        });
        await window.consumer.completion;
      }, news);
      await publishing.evaluate((news) => {
        for (let number = 0; number < 200; number += 1) window.bus.publish(news, { number, text: "Łódź 🚎" });
      }, news);
      const received = await consuming.evaluate(() => window.whole);
      assert.deepEqual(received, Array.from({ length: 200 }, (_, number) => ({ number, text: "Łódź 🚎" })));
      for (const page of pages) assertNoMishaps(page);
    });

    test("a request is answered by another page, or fails with its reason", async (t) => {
      const pages = await Promise.all([1, 2].map(() => openBus(t, running.origin, { transports: [transport] })));
      const sum = `sum.${transport}`;
      const [asking, serving] = pages;
      await serving.evaluate(async (sum) => {
        const add = (message) => {
          if (message.body.length === 0) return message.fail(7, "nothing to add");
          message.reply(message.body.reduce((one, other) => one + other));
        };
        await window.bus.consumer(sum, add).completion;
      }, sum);
      const answers = await asking.evaluate(async (sum) => {
        const reason = ({ kind, failureCode }) => [kind, failureCode];
        const { body } = await window.bus.request(sum, [1, 2, 3]);
        return [body, await window.bus.request(sum, []).catch(reason), await window.bus.request("nobody", 1).catch(reason)];
      }, sum);
      assert.deepEqual(answers, [6, ["RECIPIENT_FAILURE", 7], ["NO_HANDLERS", -1]]);
    });

    test("a page that lost its server finds it again, and its consumers with it", async (t) => {
      const listen = `127.0.0.1:${await freePort()}`;
      let server = await startDemo("--open-bridge", "--listen", listen);
      t.after(() => server.stop("SIGKILL"));
      const options = { transports: [transport], vertxbus_reconnect_delay_min: 50, vertxbus_reconnect_delay_max: 100 };
      const page = await openBus(t, server.origin, options);
      await page.evaluate(async () => {
        window.answered = new Promise((resolve) => {
          window.consumer = window.bus.consumer("demo.response", ({ body }) => resolve(body));
        });
        await window.consumer.completion;
      });
      await server.stop("SIGKILL");
      await page.evaluate(() => window.was("waiting"));
      server = await startDemo("--open-bridge", "--listen", listen);
      const answer = await page.evaluate(async () => {
        await window.bus.opened();
        await window.bus.request("echo", "the registrations have been handled");
        window.bus.publish("demo.request", "back again");
        return window.answered;
      });
      assert.equal(answer, "BACK AGAIN");
    });
  });
}

describe("the demo", () => {
  test("its plain page publishes and shows the answer", async (t) => {
    const page = await openInFirefox(t, firefox, `${running.origin}/plain.html`);
    await seen(page, "[data-testid=state][data-state=open]");
    await submit(page, "mind the gap 🚎");
    await seen(page, "[data-testid=received] [data-testid=entry]", JSON.stringify("MIND THE GAP 🚎"));
    assertNoMishaps(page);
  });

  test("its gallery publishes and shows the answer", async (t) => {
    const page = await openInFirefox(t, firefox, `${running.origin}/app/`);
    await seen(page, "[data-testid=state][data-state=open]");
    await page.evaluate((text) => {
      const input = document.querySelector("[data-testid=input]");
      input.value = text;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      document.querySelector("[data-testid=publish]").click();
    }, "all aboard");
    await seen(page, `[data-testid=received] [data-testid=entry][data-body='"ALL ABOARD"']`);
    assertNoMishaps(page);
  });
});
