// Asks from the page, and has a worker ask.

import { connect } from "trolleybus";

const bus = await connect("/eventbus");
const { body } = await bus.request("demo.request", "from the page");
document.body.dataset.page = body;

const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
worker.onmessage = ({ data }) => (document.body.dataset.worker = data);
