// What `cargo xtask bench-browser` was asked for, and what there is to measure. By itself it is the check of that,
// before anything is built.

import { known, read } from "../support-js/options.mjs";

export const options = read(process.argv.slice(2), {
  rounds: { type: "number", default: "7" },
  count: { type: "number", default: "3000" },
  only: { type: "string", default: "" },
  live: { type: "boolean", default: false },
  json: { type: "string" },
});

const order = { symbol: "TRLY", price: 101.25, amount: 300, side: "buy", note: "as agreed by telephone" };
const REPLAYED = {
  "100 B, 1 a frame": { body: order, perFrame: 1 },
  "100 B, 16 a frame": { body: order, perFrame: 16 },
  "1 KB, 1 a frame": { body: { ...order, lines: Array(9).fill(order) }, perFrame: 1 },
  "100 B with headers": { body: order, perFrame: 1, headers: { "content-type": "order", trace: "0af7651916cd43dd" } },
};
const all = options.live ? { "live, 100 B": {} } : REPLAYED;

const fits = (title, text) => title.includes(text);
known("work", options.only, Object.keys(all), fits);

/** Titles and works that were asked for. */
export const works = Object.entries(all).filter(([title]) => fits(title, options.only));
