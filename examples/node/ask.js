// Asks the service of serve.js, and ends.

import { BusError, connect } from "trolleybus";
import { WebSocket } from "ws";

const url = process.env.BRIDGE ?? "http://127.0.0.1:8080/eventbus";
const bus = await connect(url, { WebSocket, signal: AbortSignal.timeout(10_000) });
try {
  const reply = await bus.request("tab.request", process.argv[2] ?? "next stop", { timeout: 5000 });
  console.log(reply.body);
} catch (error) {
  if (!(error instanceof BusError)) throw error;
  console.error(error.kind === "NO_HANDLERS" ? "nobody serves it: start serve.js" : error.message);
  process.exitCode = 1;
} finally {
  bus.close();
}
