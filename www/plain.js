import { EventBus } from "/sdk/index.js";

// Everything may be asked of a bus at once; it connects in the background, and again.
const bus = new EventBus("/eventbus");
const find = (name) => document.querySelector(`[data-testid=${name}]`);

// A word goes to the service ...
const form = document.querySelector("form");
form.onsubmit = async (event) => {
  event.preventDefault();
  const word = form.word.value;
  form.word.select();
  await bus.publish("demo.request", word);
};

// ... and what it makes of it comes back to every page.
bus.consumer("demo.response", (message) => {
  const entry = document.createElement("li");
  entry.dataset.testid = "entry";
  entry.dataset.body = entry.textContent = JSON.stringify(message.body);
  find("received").prepend(entry);
  find("received").children[100]?.remove();
});

// The sign shows where the connection stands.
for await (const { name, transport } of bus.states()) {
  find("state").dataset.state = name;
  find("state").textContent = name;
  find("transport").textContent = transport ?? "";
}
