// What a user's editor has to understand.

import { BusError, EventBus, type Message, type Options } from "trolleybus";

const options: Options = { requestTimeout: 1000 };
const bus = new EventBus("/eventbus", options);
const reply: Message<number> = await bus.request<number>("sum", [1, 2]);
const doubled: number = reply.body * 2;
for await (const { body } of bus.consumer<string>("news")) console.log(body.length, doubled, BusError.name);
