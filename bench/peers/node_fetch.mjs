// Benchmark of Node's own fetch, which keeps its connections. bench/measure.lua documents the output.
//
//     node_fetch.mjs many BASE HEAD COUNT WARM AT_ONCE
//
// The arguments are those of raw_libcurl.c.
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
      if ((await answer.json()).email !== "dev@example.com") throw new Error("unexpected response");
    }
  }
  await Promise.all(Array.from({ length: Number(atOnce) }, callOn));
}

await callMany(Number(warm));
const start = process.cpuUsage();
await callMany(Number(count));
const used = process.cpuUsage(start);
console.log(((used.user + used.system) / Number(count)).toFixed(3));
