// The bus of this page, in runes.

import { createSubscriber } from "svelte/reactivity";
import { EventBus, type AddressOf, type Asks, type BodyOf, type ConsumerOptions, type Message } from "trolleybus";

/** What is sent where, so that a wrong body does not compile. */
export type Addresses = { "demo.request": Asks<string, string>; "demo.response": string };

/** One for the whole page: it connects in the background and reconnects by itself. */
export const bus = new EventBus<Addresses>("/eventbus");

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
export function useConsumer<A extends AddressOf<Addresses>>(
  address: () => A,
  handler: (message: Message<BodyOf<Addresses, A>>) => void,
  options: ConsumerOptions = {},
) {
  $effect(() => {
    const consumer = bus.consumer(address(), handler, options);
    return () => consumer.unregister();
  });
}
