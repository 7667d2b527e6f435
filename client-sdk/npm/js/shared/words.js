// What tabs and their host say to each other: arrays of words, each an array.
//
// From a tab:
//   ["command", number, operation, origin, address, text, headers, local, value, wanted]
//   ["register", id, address, local, pattern, overflow]   ["unregister", id]   ["cancel", number]
//   ["dealt", messages, characters]                        what of messages, states and notices is dealt with
//   ["token", number, ok, text]                            an answer
//   ["reconnect", transports]   ["limitAttempts", attempts]   ["bye"]
// From the host:
//   ["took", number]                                       all commands up to this one
//   ["done", number, message, error]                       the end of a request, or a command's refusal
//   ["message", id, message]   ["state", notice, lastClose]   ["notice", notice]
//   ["token", number]                                      a question
//
// Messages, errors and notices are those of `link.js`; the origin of a message is the host's.

/** What `command` does, by number; as in `bus.js`. */
export const [REQUEST, REPLY, REPLY_AND_REQUEST, FAIL] = [2, 3, 4, 5];
