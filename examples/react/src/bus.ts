// The bus of this page, and hooks over it.

import { useEffect, useEffectEvent, useSyncExternalStore } from "react";
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

const onStatus = (changed: () => void) => {
  bus.addEventListener("state", changed);
  return () => bus.removeEventListener("state", changed);
};

/** Where the connection stands. */
export const useStatus = (): Status => useSyncExternalStore(onStatus, () => bus.status);

/** Consumes an address while the component is mounted. */
export function useConsumer<A extends AddressOf<Addresses>>(
  address: A,
  handler: (message: Message<BodyOf<Addresses, A>>) => void,
  { pattern, overflow }: ConsumerOptions = {},
) {
  const handle = useEffectEvent(handler);
  useEffect(() => {
    const consumer = bus.consumer(address, (message) => handle(message), { pattern, overflow });
    return () => consumer.unregister();
  }, [address, pattern, overflow]);
}
