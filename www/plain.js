import { EventBus } from "/sdk/index.js";

const bus = new EventBus("/eventbus");
const find = (name) => document.querySelector(`[data-testid=${name}]`);

// The sign shows where the connection stands.
bus.onstate = ({ name, transport }) => {
  find("state").dataset.state = name;
  find("state").textContent = name;
  find("transport").textContent = transport ?? "";
};

// A word goes to the service ...
const form = document.querySelector("form");
form.onsubmit = (event) => {
  event.preventDefault();
  bus.publish("demo.request", form.word.value);
  form.word.select();
};

// ... and what it makes of it comes back to every page.
bus.consumer("demo.response", (message) => {
  const entry = document.createElement("li");
  entry.dataset.testid = "entry";
  entry.dataset.body = entry.textContent = JSON.stringify(message.body);
  find("received").prepend(entry);
  find("received").children[100]?.remove();
});
