// The bus of this page, and composables over it.

import { readonly, shallowRef, toValue, watchEffect, type MaybeRefOrGetter } from "vue";
import {
  EventBus,
  type AddressOf,
  type Asks,
  type BodyOf,
  type ConsumerOptions,
  type Message,
  type Status,
} from "trolleybus";

/** What is sent where, so that a wrong body does not compile. */
export type Addresses = { "demo.request": Asks<string, string>; "demo.response": string };

/** One for the whole page: it connects in the background and reconnects by itself. */
export const bus = new EventBus<Addresses>("/eventbus");

const status = shallowRef<Status>(bus.status);
bus.addEventListener("state", () => (status.value = bus.status));

/** Where the connection stands. */
export const useStatus = () => readonly(status);

/** Consumes an address, which may change, as long as the component lives. */
export function useConsumer<A extends AddressOf<Addresses>>(
  address: MaybeRefOrGetter<A>,
  handler: (message: Message<BodyOf<Addresses, A>>) => void,
  options: ConsumerOptions = {},
) {
  watchEffect((onCleanup) => {
    const consumer = bus.consumer(toValue(address), handler, options);
    onCleanup(() => consumer.unregister());
  });
}
