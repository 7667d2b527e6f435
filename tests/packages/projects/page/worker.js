// Asks from a worker. No `await` at the top, so that bundlers may make a plain script of it.

import { connect } from "trolleybus";

async function ask() {
  const bus = await connect("/eventbus");
  const { body } = await bus.request("demo.request", "from a worker");
  postMessage(body);
}

ask();
