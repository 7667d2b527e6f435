// A tab's link to a host, and hosts that come and go: what a tab asks for while there is none.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { fromSource } from "../support-js/sources.mjs";

let Host, RemoteLink;
before(async () => ({ Host, RemoteLink } = await fromSource(["shared/host.js", "shared/remote.js"])));

/** Lets microtasks run, by which words travel. */
const turn = () => new Promise((resolve) => setImmediate(resolve));
const tab = () => new RemoteLink({}, () => {}, () => {});

/** A host over a connection that notes what it is told; `link` sits down. */
function host(link) {
  const told = [];
  let notice;
  const note = (name) => (...parts) => told.push([name, ...parts]);
  const opened = { reconnect: note("reconnect"), limitAttempts: note("limitAttempts"), register: note("register") };
  opened.lastClose = () => [1006, ""];
  const openLink = (url, options, attempts, observer) => ((notice = observer), opened);
  const made = new Host(openLink, () => {});
  const seat = made.join((words) => link.hear(words), { url: "", options: {}, attempts: Infinity, wantsToken: false });
  link.attach((words) => made.hear(seat, words));
  return { told, opens: () => notice([1, "websocket", 0]) };
}

test("the next host is asked to connect anew, and once", async () => {
  const link = tab();
  link.reconnect("xhr-polling");
  link.reconnect();
  const first = host(link);
  first.opens();
  await turn();
  assert.deepEqual(first.told, [["reconnect", "xhr-polling"]]);
  link.detach();
  const second = host(link);
  await turn();
  assert.deepEqual(second.told, []);
});

test("a host that was never heard of leaves the wish to the next", async () => {
  const link = tab();
  link.attach(() => {});
  link.reconnect();
  await turn();
  link.detach();
  const next = host(link);
  await turn();
  assert.deepEqual(next.told, [["reconnect", undefined]]);
});

test("every host is told the limit of attempts, before all else", async () => {
  const link = tab();
  link.register("a", false, false, "", () => {});
  link.limitAttempts(3);
  for (const limit of [3, 5]) {
    const each = host(link);
    each.opens();
    await turn();
    assert.deepEqual(each.told.map(([name, value]) => [name, value]), [["limitAttempts", limit], ["register", "a"]]);
    link.limitAttempts(5);
    await turn();
    assert.deepEqual(each.told.at(-1), ["limitAttempts", 5]);
    link.detach();
  }
});
