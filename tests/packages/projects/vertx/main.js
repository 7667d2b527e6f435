// Asks as code for Vert.x's client does.

import EventBus from "trolleybus/vertx";

const bus = new EventBus("/eventbus");
bus.onopen = () => {
  bus.send("demo.request", "from the page", {}, (error, message) => {
    document.body.dataset.page = error ? JSON.stringify(error) : message.body;
  });
};
