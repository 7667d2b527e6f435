// Servers under test, each on a free port of its own.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { needed } from "./needs.mjs";
import { Program } from "./process.mjs";

const ANY_PORT = "127.0.0.1:0";

/** Everything is permitted in both directions. */
export const OPEN = { inbound_permitted: [{}], outbound_permitted: [{}] };

/** A running server: its origin, its bridge, and the program. */
async function launch(file, args, clean = async () => {}) {
  const program = new Program(file, args);
  try {
    const [origin] = await program.line(/http:\/\/[^\s/]+/);
    const stop = async (signal) => {
      await program.stop(signal);
      await clean();
    };
    return { program, origin, bridge: `${origin}/eventbus`, socket: `${origin.replace("http", "ws")}/eventbus/websocket`, stop };
  } catch (error) {
    await program.stop("SIGKILL");
    await clean();
    throw error;
  }
}

/** `trolleybus serve` with a configuration file of these sections. */
export async function serve({ server = {}, bridge = OPEN, sockjs = {}, ...others } = {}, ...flags) {
  const sections = { server: { listen: ANY_PORT, drain_timeout_ms: 1000, ...server }, bridge, sockjs, ...others };
  const { file, remove } = await configuration(sections);
  return launch(needed("TROLLEYBUS_BIN"), ["serve", "--config", file, ...flags], remove);
}

/** `trolleybus demo`, on a free port unless `--listen` is among the flags. */
export function demo(...flags) {
  const listen = flags.includes("--listen") ? [] : ["--listen", ANY_PORT];
  return launch(needed("TROLLEYBUS_BIN"), ["demo", ...listen, ...flags]);
}

/** The SockJS services without the bus. */
export function sockjsServices() {
  return launch(needed("SOCKJS_TEST_SERVER_BIN"), ["0"]);
}

/** A temporary configuration file. */
export async function configuration(sections) {
  const folder = await mkdtemp(join(tmpdir(), "trolleybus-"));
  const file = join(folder, "trolleybus.toml");
  await writeFile(file, typeof sections === "string" ? sections : toTables(sections));
  return { file, remove: () => rm(folder, { recursive: true, force: true }) };
}

function toTables(sections) {
  const table = ([name, values]) => `[${name}]\n${fields(values).join("\n")}\n`;
  return Object.entries(sections).map(table).join("\n");
}

const fields = (values) => Object.entries(values).map(([key, value]) => `${key} = ${toToml(value)}`);

function toToml(value) {
  if (Array.isArray(value)) return `[${value.map(toToml).join(", ")}]`;
  if (typeof value === "object") return `{ ${fields(value).join(", ")} }`;
  return JSON.stringify(value);
}

/** A port that was free a moment ago, for a server that has to come back where it was. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
