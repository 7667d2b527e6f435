// What `cargo xtask versus` was asked for. By itself it is the check of that, before anything is built.

import { known, misused, read } from "../support-js/options.mjs";
import { OURS } from "./others.mjs";
import { PEERS } from "./peers.mjs";
import { TITLE } from "./storm.mjs";
import { WORKS } from "./works.mjs";

export const options = read(process.argv.slice(2), {
  rounds: { type: "number" },
  seconds: { type: "number" },
  only: { type: "string", default: "" },
  peers: { type: "string", default: "" },
  quick: { type: "boolean", default: false },
  write: { type: "boolean", default: false },
  out: { type: "string", default: "versus.md" },
  documents: { type: "string", default: "" },
});

/** The names of the peers that were asked for; none for all. */
export const wanted = options.peers.split(",").filter(Boolean);

/** Whether what is measured under this name was asked for. */
export const isWanted = (name) => fits(name, options.only);

function fits(name, text) {
  return name.toLowerCase().includes(text.toLowerCase());
}

const works = [...WORKS.map((work) => work.name), TITLE, ...OURS];
const peers = PEERS.map((peer) => peer.name);
known("work", options.only, works, fits);
wanted.forEach((name) => known("peer", name, peers, (peer) => peer === name));
if (options.write && (options.quick || options.only || wanted.length > 0)) {
  misused("--write is for a whole run: without --quick, --only and --peers");
}
