// CommonJS, which gets the class itself.

import EventBus = require("trolleybus/vertx");

const bus = new EventBus("/eventbus", { vertxbus_ping_interval: 1000 });
bus.onopen = () => bus.send("sum", [1, 2], {}, (error, message) => console.log(error ?? message?.body));
