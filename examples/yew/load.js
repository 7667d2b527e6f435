import init from "./pkg/yew_example.js";

init();
