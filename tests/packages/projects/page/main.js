// Asks from the page, and has a worker ask.

import { EventBus } from "trolleybus";

const bus = new EventBus("/eventbus");
const { body } = await bus.request("demo.request", "from the page");
document.body.dataset.page = body;

const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
worker.onmessage = ({ data }) => (document.body.dataset.worker = data);
