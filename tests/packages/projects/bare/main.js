// Asks from the page, and has a worker ask.

import { EventBus } from "./trolleybus/index.js";

const bus = new EventBus("/eventbus");
const { body } = await bus.request("demo.request", "from the page");
document.body.dataset.page = body;

const worker = new Worker("worker.js", { type: "module" });
worker.onmessage = ({ data }) => (document.body.dataset.worker = data);
