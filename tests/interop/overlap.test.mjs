// Two connections at a time in the npm package: `link.js` over a module that the test plays.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { fromSource } from "../support-js/sources.mjs";

/** As `link.js` has it. */
const MOST = 10_000;
const [OLD, NEW] = [1, 2];
/** A notice about the overlap, and what it says: that, or the number of the old connection. */
const [OVERLAP, DRAINED, ENDS] = [12, -1, 0];

let openLink;
before(async () => {
  const played = { "module.js": "export const load = () => globalThis.playedModule;" };
  ({ openLink } = await fromSource(["link.js"], played));
});

/** A link with a consumer of `a`: what it is told and given, and the bodies that came since the last look. */
async function played() {
  const taken = [];
  let notice, frame;
  class Bus {
    constructor(url, transports, hasToken, ...callbacks) {
      const [told, take] = callbacks;
      notice = (...parts) => told(parts);
      frame = (connection, ...numbers) => {
        const texts = numbers.map((body) => JSON.stringify({ type: "rec", address: "a", body }));
        take(connection, 0, `a${JSON.stringify(texts)}`);
      };
    }
    hear() {}
    register() {
      return 1;
    }
  }
  globalThis.playedModule = Promise.resolve(Bus);
  const link = openLink("http://localhost/", {}, 0, () => {});
  await globalThis.playedModule;
  link.register("a", false, false, "", ({ body }) => taken.push(body));
  return { notice, frame, bodies: () => taken.splice(0) };
}

const numbers = (from, to) => Array.from({ length: to - from }, (_, at) => from + at);

test("nothing comes twice or changes places while two connections deliver", async () => {
  const { notice, frame, bodies } = await played();
  notice(OVERLAP, "", OLD);
  frame(NEW, 2, 3);
  frame(OLD, 1, 2);
  assert.deepEqual(bodies(), [1, 2]);
  notice(OVERLAP, "", DRAINED);
  frame(NEW, 1, 4);
  assert.deepEqual(bodies(), [3, 4]);
  notice(OVERLAP, "", ENDS);
  frame(NEW, 4);
  assert.deepEqual(bodies(), [4]);
});

test("what is held back comes in order once it is too much", async () => {
  const { notice, frame, bodies } = await played();
  notice(OVERLAP, "", OLD);
  frame(OLD, 0);
  frame(NEW, ...numbers(0, MOST));
  assert.deepEqual(bodies(), [0]);
  frame(NEW, MOST);
  assert.deepEqual(bodies(), numbers(1, MOST));
  frame(OLD, 1, MOST);
  assert.deepEqual(bodies(), [1, MOST]);
  notice(OVERLAP, "", DRAINED);
  frame(NEW, MOST + 1);
  assert.deepEqual(bodies(), [MOST + 1]);
});

test("of too many texts the oldest is forgotten", async () => {
  const { notice, frame, bodies } = await played();
  notice(OVERLAP, "", OLD);
  frame(OLD, ...numbers(0, MOST + 1));
  assert.equal(bodies().length, MOST + 1);
  notice(OVERLAP, "", DRAINED);
  frame(NEW, ...numbers(0, MOST + 1));
  assert.deepEqual(bodies(), [0]);
});
