// Asks from a worker.

import { EventBus } from "trolleybus";

const bus = new EventBus("/eventbus");
bus.request("demo.request", "from a worker").then(({ body }) => postMessage(body));
