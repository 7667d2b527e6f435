// The recovery storm, peer by peer: a table of its own, because it has several figures.

import { launch, pick } from "./measure.mjs";
import { table } from "./table.mjs";
import { STORM } from "./works.mjs";

export const TITLE = "Recovery storm";

export async function storm({ peers, rounds, isWanted, quick, reasons, everything, median, shown }) {
  if (!isWanted(TITLE)) {
    return [];
  }
  const connections = quick ? "500" : STORM.connections;
  const reports = {};
  for (let round = 0; round < rounds; round++) {
    for (const peer of peers.filter((peer) => typeof reports[peer.name] !== "string")) {
      try {
        const report = await launch(peer, ["storm", "--connections", connections]);
        (reports[peer.name] ??= []).push(report);
        everything.push({ work: TITLE, peer: peer.name, round, ...report });
      } catch (error) {
        reports[peer.name] = error.message;
        reasons.push(`${peer.name}, ${TITLE.toLowerCase()}: ${error.message}`);
      }
    }
  }
  const rows = peers.map(({ name }) => {
    const cells = STORM.columns.map(({ figure, scale = 1 }) => {
      const own = reports[name];
      return Array.isArray(own) ? shown(median(own.map((report) => pick(report, figure))) * scale) : "failed";
    });
    return `| ${name} | ${cells.join(" | ")} |`;
  });
  return [
    "",
    `${TITLE}: the server of ${Number(connections).toLocaleString("en")} registered connections is killed and started again, and all come back`,
    "after random pauses that begin with up to 100 ms. Nothing is replayed: recovered is who is registered again. Medians; server",
    "and load share the cores.",
    "",
    ...table(["Server", ...STORM.columns.map((column) => column.name)], rows),
  ];
}
