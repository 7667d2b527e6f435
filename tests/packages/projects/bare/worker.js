// Asks from a worker.

import { EventBus } from "./trolleybus/index.js";

const bus = new EventBus("/eventbus");
bus.request("demo.request", "from a worker").then(({ body }) => postMessage(body));
