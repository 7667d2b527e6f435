// Asks over the connection that a SharedWorker holds, and over no other.

import { connect } from "trolleybus";

const bus = await connect("/eventbus", { shared: { via: "worker" } });
const { body } = await bus.request("demo.request", "from the page");
document.body.dataset.page = body;
