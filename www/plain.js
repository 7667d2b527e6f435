import { EventBus } from "/sdk/index.js";

const bus = new EventBus("/eventbus");

// Show where the connection stands.
const state = document.querySelector("[data-testid=state]");
bus.onstate = ({ state: name, transport }) => {
  state.dataset.state = name;
  state.textContent = transport ? `${name} over ${transport}` : name;
};

// A word goes to the service ...
const form = document.querySelector("form");
form.addEventListener("submit", (event) => {
  event.preventDefault();
  bus.publish("demo.request", form.word.value);
  form.word.select();
});

// ... and what it makes of it comes back to every page.
const received = document.querySelector("[data-testid=received]");
bus.consumer("demo.response", (message) => {
  const entry = document.createElement("li");
  entry.dataset.testid = "entry";
  entry.dataset.body = JSON.stringify(message.body);
  entry.textContent = message.body;
  received.prepend(entry);
  received.children[100]?.remove();
});
