// The class that stands in for that of Vert.x.

import { EventBus } from "./bus.js";

/** As the class of that name of Vert.x: a lost connection stays lost until `enableReconnect`. */
export default class VertxEventBus extends EventBus {
  constructor(url, options) {
    super(url, { reconnect: false, vertxbus_reconnect_delay_min: 1000, vertxbus_reconnect_delay_max: 5000, ...options });
  }
}
