// The bus of this page, and hooks over it.

import { useEffect, useEffectEvent, useSyncExternalStore } from "react";
import { EventBus, type ConsumerOptions, type Message, type Status } from "trolleybus";

/** One for the whole page: it connects in the background and reconnects by itself. */
export const bus = new EventBus("/eventbus");

const onStatus = (changed: () => void) => {
  bus.addEventListener("state", changed);
  return () => bus.removeEventListener("state", changed);
};

/** Where the connection stands. */
export const useStatus = (): Status => useSyncExternalStore(onStatus, () => bus.status);

/** Consumes an address while the component is mounted. */
export function useConsumer<T>(
  address: string,
  handler: (message: Message<T>) => void,
  { pattern, overflow }: ConsumerOptions = {},
) {
  const handle = useEffectEvent(handler);
  useEffect(() => {
    const consumer = bus.consumer<T>(address, (message) => handle(message), { pattern, overflow });
    return () => consumer.unregister();
  }, [address, pattern, overflow]);
}
