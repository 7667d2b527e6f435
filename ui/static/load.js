import init from "./trolleybus-ui.js";

init().catch((error) => {
  document.getElementById("loading").textContent = `The page could not start: ${error}`;
});
