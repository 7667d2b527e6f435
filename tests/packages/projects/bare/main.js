// Asks from the page, and has a worker ask.

import { connect } from "./trolleybus/index.js";

const bus = await connect("/eventbus");
const { body } = await bus.request("demo.request", "from the page");
document.body.dataset.page = body;

const worker = new Worker("worker.js", { type: "module" });
worker.onmessage = ({ data }) => (document.body.dataset.worker = data);
