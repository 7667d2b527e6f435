// The results as Markdown: medians, spread, shares of sockjs-node, and whether the bar is met.

import { CEILINGS } from "./peers.mjs";

export const median = (numbers) => {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};

/** Half of what lies between the least and the most, as a share of the median. */
export const spread = (numbers) => (Math.max(...numbers) - Math.min(...numbers)) / 2 / median(numbers);

export function shown(number) {
  return Math.abs(number) >= 100 ? Math.round(number).toLocaleString("en") : number.toPrecision(3);
}

/** `figures`: for each peer its figures, or the reason why there are none. */
export function workRow(work, peers, figures) {
  const base = figures["sockjs-node"];
  const cells = peers.map(({ name }) => cell(name, figures[name], base));
  const title = work.unit ? `${work.name}, ${work.unit}` : work.name;
  return `| ${title} | ${cells.join(" | ")} | ${verdict(work, figures)} |`;
}

function cell(name, own, base) {
  if (!Array.isArray(own)) {
    return own === undefined ? "-" : "failed";
  }
  const around = own.length > 1 ? ` ±${Math.round(100 * spread(own))}%` : "";
  const share = name === "sockjs-node" || !Array.isArray(base) ? "" : ` (${ratio(own, base).toFixed(2)})`;
  return `${shown(median(own))}${around}${share}`;
}

/** The median of the rounds' ratios: what disturbed the machine in one round disturbed both. */
export function ratio(own, base) {
  const pairs = Math.min(own.length, base.length);
  return median(own.slice(0, pairs).map((figure, index) => figure / base[index]));
}

/** What the line of a bench that begins with `name` ends with, as in `... 2.0 ns   x1.97`. */
export function ratioIn(printed, name) {
  const line = printed.split("\n").find((line) => line.startsWith(`${name} `));
  return Number(line?.split("x").at(-1));
}

/** Says for each bar of a work whether it is met. */
export function verdict(work, figures) {
  const own = figures.trolleybus;
  if (!Array.isArray(own)) {
    return "not measured";
  }
  const verdicts = [];
  if (work.bar) {
    const base = figures["sockjs-node"];
    const met = Array.isArray(base) ? word(ratio(own, base) <= work.bar) : "not measured";
    verdicts.push(`${work.bar} ${met}`);
  }
  if (work.most) {
    verdicts.push(`${work.most.toLocaleString("en")} ${word(median(own) <= work.most)}`);
  }
  if (work.below) {
    verdicts.push(...below(work.below, figures));
  }
  return verdicts.join("; ") || "-";
}

function below(names, figures) {
  const others = names === "all" ? Object.keys(figures).filter((name) => !["trolleybus", ...CEILINGS].includes(name)) : names;
  const known = others.filter((name) => Array.isArray(figures[name]));
  const better = known.filter((name) => median(figures[name]) < median(figures.trolleybus));
  const missing = names === "all" ? [] : others.filter((name) => !known.includes(name));
  const title = names === "all" ? "every peer's" : names.join("'s, ") + "'s";
  const result = better.length > 0 ? `missed (${better.join(", ")})` : missing.length > 0 ? `not measured (${missing.join(", ")})` : "met";
  return [`at most ${title} ${result}`];
}

export const word = (met) => (met ? "met" : "missed");

/** A Markdown table. */
export function table(head, rows) {
  return [`| ${head.join(" | ")} |`, `|${head.map(() => "---").join("|")}|`, ...rows];
}

/** Puts `lines` between the markers of a document, or returns undefined when it has none. */
export function between(text, lines) {
  const [begin, end] = ["<!-- versus -->", "<!-- /versus -->"];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) {
    return undefined;
  }
  return `${text.slice(0, from + begin.length)}\n${lines.join("\n")}\n${text.slice(to)}`;
}
