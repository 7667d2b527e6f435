// What a user's editor has to understand.

import { BusError, connect, EventBus, type Asks, type Message, type Options } from "trolleybus";

type Addresses = { news: string; sum: Asks<number[], number> };

const options: Options = { requestTimeout: 1000 };
const bus: EventBus<Addresses> = await connect<Addresses>("/eventbus", options);
const reply: Message<number> = await bus.request("sum", [1, 2], { signal: AbortSignal.timeout(500) });
const doubled: number = reply.body * 2;
for await (const { body } of bus.consumer("news")) console.log(body.length, doubled, BusError.name);
