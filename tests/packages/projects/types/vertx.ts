// Modules get it as the default export.

import EventBus from "trolleybus/vertx";

const bus = new EventBus("/eventbus", { vertxbus_ping_interval: 1000 });
bus.registerHandler("news", (error, message) => console.log(error ?? message?.body));
