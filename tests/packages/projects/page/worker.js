// Asks from a worker.

import { EventBus } from "trolleybus";

const bus = new EventBus("/eventbus");
const { body } = await bus.request("demo.request", "from a worker");
postMessage(body);
