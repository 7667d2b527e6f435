// Asks a service, and shows what it tells everybody.

import { useState, type FormEvent } from "react";
import { BusError } from "trolleybus";
import { bus, useConsumer, useStatus } from "./bus";

export function App() {
  const status = useStatus();
  const [word, setWord] = useState("next stop");
  const [answer, setAnswer] = useState("");
  const [heard, setHeard] = useState<{ id: number; text: string }[]>([]);

  useConsumer("demo.response", ({ body }) => {
    setHeard((before) => [{ id: (before[0]?.id ?? 0) + 1, text: body }, ...before].slice(0, 100));
  });

  const ask = async (event: FormEvent) => {
    event.preventDefault();
    try {
      const reply = await bus.request("demo.request", word);
      setAnswer(reply.body);
    } catch (error) {
      setAnswer(error instanceof BusError ? error.kind : String(error));
    }
  };

  return (
    <>
      <h1>Trolleybus in React</h1>
      <p>
        The bus is <strong data-state={status.name}>{status.name}</strong>
        {status.name === "open" && ` over ${status.transport}`}
      </p>
      <form onSubmit={ask}>
        <label>
          A word <input value={word} onChange={(event) => setWord(event.target.value)} />
        </label>
        <button>Ask</button>
        <output>{answer}</output>
      </form>
      <h2>Heard</h2>
      <ul>
        {heard.map(({ id, text }) => (
          <li key={id}>{text}</li>
        ))}
      </ul>
    </>
  );
}
