// Node's own fetch at the bench; it keeps its connections. Prints what bench/measure.lua says.
//
//     fetch.mjs many BASE HEAD COUNT WARM AT_ONCE
//
// The words are bench/twin.c's.
import { readFileSync } from "node:fs";

const [base, head, count, warm, atOnce] = process.argv.slice(3);
const url = base + "/api/v1/auth/me", headers = {};
for (const line of readFileSync(head, "latin1").split("\r\n")) {
  const [, name, value] = /^([\w-]+):\s*(.*)$/.exec(line) ?? [];
  if (name && name.toLowerCase() !== "host") headers[name] = value;
}

async function callMany(left) {
  async function callOn() {
    while (left-- > 0) {
      const answer = await fetch(url, { headers });
      if ((await answer.json()).email !== "dev@example.com") throw new Error("not the answer that was expected");
    }
  }
  await Promise.all(Array.from({ length: Number(atOnce) }, callOn));
}

await callMany(Number(warm));
const start = process.cpuUsage();
await callMany(Number(count));
const used = process.cpuUsage(start);
console.log(((used.user + used.system) / Number(count)).toFixed(3));
