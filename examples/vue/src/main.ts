// Puts the component into the page.

import { createApp } from "vue";
import App from "./App.vue";

createApp(App).mount("#app");
