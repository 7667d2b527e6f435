import { openBus } from "/work/main/tests/support-js/clients.mjs";
import { demo } from "/work/main/tests/support-js/server.mjs";
for (const tr of ["websocket","xhr-streaming","eventsource","xhr-polling"]) for (const closeFirst of [true,false]) {
  const s = await demo("--open-bridge");
  const bus = await openBus(s.bridge, tr);
  if (closeFirst) { bus.close(); await new Promise(r=>setTimeout(r,100)); }
  const t0 = performance.now(); await s.stop(); 
  console.log(tr, closeFirst, Math.round(performance.now()-t0), s.program.complaints.split("\n").slice(-3).join("|"), closeFirst? "" : JSON.stringify(await bus.closes.next().then(e=>[e.code,e.reason]).catch(e=>e.message)));
}
process.exit(0)
