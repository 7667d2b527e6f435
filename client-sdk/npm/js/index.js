// The JavaScript API of Trolleybus. `index.d.ts` documents every export.

export { connect, EventBus } from "./bus.js";
export { BusError } from "./error.js";
// For `vertx.js`.
export { openLink as _openLink } from "./link.js";
