// What programs write that come from Vert.x's client.

import EventBus from "trolleybus/vertx";

const bus = new EventBus("/eventbus", { vertxbus_ping_interval: 1000 });
bus.enableReconnect(true);
bus.onopen = () => {
  bus.registerHandler("news", (error, message) => console.log(error, message));
  bus.send("echo", { a: 1 }, (error, message) => console.log(error, message));
  bus.publish("news", "hello", { header: "value" });
};
if (bus.state === EventBus.OPEN) bus.close();
// @ts-expect-error a callback that is none
bus.registerHandler("news", "callback");
