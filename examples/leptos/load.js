import init from "./pkg/leptos_example.js";

init();
