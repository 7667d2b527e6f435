// A service: answers requests until it is interrupted.

import { connect } from "trolleybus";
import { WebSocket } from "ws";

const bus = await connect(process.env.BRIDGE ?? "http://127.0.0.1:8080/eventbus", { WebSocket });
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => bus.close());

const requests = bus.consumer("tab.request");
await requests.completion;
console.log(`serving over ${bus.transport}`);

// The loop ends when the bus is closed.
for await (const request of requests) {
  if (typeof request.body === "string") request.reply([...request.body].reverse().join(""));
  else request.fail(1, "not a text");
}
