// The bus of this page, in runes.

import { createSubscriber } from "svelte/reactivity";
import { EventBus, type ConsumerOptions, type Message } from "trolleybus";

/** One for the whole page: it connects in the background and reconnects by itself. */
export const bus = new EventBus("/eventbus");

const watchState = createSubscriber((update) => {
  bus.addEventListener("state", update);
  return () => bus.removeEventListener("state", update);
});

/** Where the connection stands; whatever reads it follows it. */
export const connection = {
  get status() {
    watchState();
    return bus.status;
  },
};

/** Consumes an address, which may change, as long as the component lives. */
export function useConsumer<T>(
  address: () => string,
  handler: (message: Message<T>) => void,
  options: ConsumerOptions = {},
) {
  $effect(() => {
    const consumer = bus.consumer<T>(address(), handler, options);
    return () => consumer.unregister();
  });
}
