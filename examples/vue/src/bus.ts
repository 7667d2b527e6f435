// The bus of this page, and composables over it.

import { readonly, shallowRef, toValue, watchEffect, type MaybeRefOrGetter } from "vue";
import { EventBus, type ConsumerOptions, type Message, type Status } from "trolleybus";

/** One for the whole page: it connects in the background and reconnects by itself. */
export const bus = new EventBus("/eventbus");

const status = shallowRef<Status>(bus.status);
bus.addEventListener("state", () => (status.value = bus.status));

/** Where the connection stands. */
export const useStatus = () => readonly(status);

/** Consumes an address, which may change, as long as the component lives. */
export function useConsumer<T>(
  address: MaybeRefOrGetter<string>,
  handler: (message: Message<T>) => void,
  options: ConsumerOptions = {},
) {
  watchEffect((onCleanup) => {
    const consumer = bus.consumer<T>(toValue(address), handler, options);
    onCleanup(() => consumer.unregister());
  });
}
