// The JavaScript API of Trolleybus. `index.d.ts` documents every export.

export { connect, EventBus } from "./bus.js";
export { Consumer } from "./consumer.js";
export { BusError } from "./error.js";
export { Message } from "./message.js";
// For `vertx.js`.
export { openLink as _openLink } from "./link.js";
