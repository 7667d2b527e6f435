// Asks a service, and shows what it tells everybody.

import { EventBus } from "./trolleybus/index.js";

const bus = new EventBus("/eventbus");

// Where the connection stands.
const state = document.querySelector("#state");
const showState = () => {
  state.dataset.state = bus.status.name;
  state.textContent = bus.transport ? `open over ${bus.transport}` : bus.status.name;
};
bus.addEventListener("state", showState);
showState();

// A request ends with its reply, or with an error that says why there is none.
const form = document.querySelector("form");
form.onsubmit = async (event) => {
  event.preventDefault();
  const output = form.querySelector("output");
  try {
    const reply = await bus.request("demo.request", form.word.value);
    output.textContent = reply.body;
  } catch (error) {
    output.textContent = error.kind;
  }
};

// A consumer lasts over reconnects.
const list = document.querySelector("ul");
for await (const message of bus.consumer("demo.response")) {
  const entry = document.createElement("li");
  entry.textContent = message.body;
  list.prepend(entry);
}
