// Where ours is not as the published client: by the fact of `vertx-behaviour.mjs`, what holds for
// ours, and the row about it in docs/migrating.md. Exactly these; a test holds us to it.

export const differences = [
  {
    fact: "a handler after a reconnect that does not register it again",
    ours: ["again"],
    row: ["Handlers when the connection is opened again", "are forgotten", "stay: what `onopen` and `onreconnect` have not registered again is registered by the bus behind them. The first `registerHandler` for an address with another function than before replaces those from before, so that code which registers in `onopen`, or after a login, gets each message once. `keepHandlers: false` forgets them"],
  },
  {
    fact: "a request whose connection is lost",
    ours: [["failureCode", "failureType", "message"], "ERROR"],
    row: ["A callback whose connection is lost", "is never called", "gets a failure, type `ERROR`, before `onclose`"],
  },
  {
    fact: "a request whose bus is closed",
    ours: [["failureCode", "failureType", "message"], "ERROR"],
    row: ["A callback when the bus is closed", "is never called", "gets a failure, type `ERROR`, before `onclose`"],
  },
  {
    fact: "a request whose answer never comes",
    ours: "TIMEOUT",
    row: ["A callback whose answer never comes, as when a server refuses the request without saying which", "is never called", "gets a failure, type `TIMEOUT`, after five minutes, or as `requestTimeout` says"],
  },
  {
    fact: "close while waiting to reconnect",
    ours: ["onclose", 3],
    row: ["`close` while waiting to reconnect", "throws a `TypeError`, and `state` stays `CLOSING`", "ends the wait; `onclose` with 1000"],
  },
  {
    fact: "close once more, after the end",
    ours: 3,
    row: ["`close` after the end", "sets `state` to `CLOSING` for good", "does nothing"],
  },
  {
    fact: "zero as an option",
    ours: [0, "0", 0, 0, 0, 0],
    row: ["Zero as an option", "means the default", "is honoured: no pings, no attempts, no delay, no spread"],
  },
  {
    fact: "headers that were given, after default headers were added",
    ours: ["mine"],
    row: ["The object with headers that you give", "gets the default headers put into it", "is left alone"],
  },
  {
    fact: "the handler behind one that unregisters itself",
    ours: ["first", "second"],
    row: ["The handler behind one that unregisters itself", "misses the message", "gets it"],
  },
  {
    fact: "an exception in a handler",
    ours: [true, ["the next"]],
    row: ["An exception in a handler", "keeps the message from the next handlers", "stops that handler alone; it is reported as any other (`reportError`, in Node `console.error`)"],
  },
  {
    fact: "an address that objects have as a property",
    ours: "is registered",
    row: ["`registerHandler` for an address such as `constructor`", "throws a `TypeError`", "works; `handlers` has no prototype"],
  },
  {
    fact: "pings that were enabled twice and disabled",
    ours: "stop",
    row: ["`enablePing(true)` while pings go, then `enablePing(false)`", "leaves one timer running", "stops pings"],
  },
  {
    fact: "enablePing while connecting",
    ours: "is fine",
    row: ["`enablePing(true)` while connecting", "throws", "does nothing that a connection would not do by itself"],
  },
  {
    fact: "reconnecting after a close that forbids it",
    ours: [3004, "stays closed"],
    row: ["The server closes with a code that forbids another attempt (1000, 1007, 1009, 3003, 3004, 3007; Vert.x sends none of them)", "tries again if that is enabled", "stays closed"],
  },
  {
    fact: "a URL that is none for HTTP",
    ours: ["onclose", 1002],
    row: ["A URL that is not of HTTP", "the constructor throws a `SyntaxError`", "`onclose` with 1002; `ws:` and `wss:` are understood"],
  },
  {
    fact: "options of SockJS",
    ours: false,
    row: ["Options of SockJS other than `transports`: `server`, `sessionId`, `timeout`, `transportOptions`", "are passed on", "are ignored; of `transports` the names `websocket`, `xhr-streaming`, `eventsource`, `xhr-polling` count"],
  },
  {
    fact: "sockJSConn as an EventTarget of SockJS",
    ours: "undefined",
    row: ["`sockJSConn`", "is the SockJS object", "has `readyState`, `transport`, `url`, `send`, `close`, and is null while waiting; no events"],
  },
  {
    fact: "pingTimerID while pings go",
    ours: "is not",
    row: ["`pingTimerID`, `reconnectTimerID`", "are timers", "are not there"],
  },
];
