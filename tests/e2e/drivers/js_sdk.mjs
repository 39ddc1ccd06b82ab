// Answers with what @azure/arm-rediscache returns; see tests/e2e/driver.py.
// A call is the operation group, the method and its arguments; the call ["operations"]
// lists what could be called. The environment alone sets up the credential.
import { createInterface } from "node:readline";
import { DefaultAzureCredential } from "@azure/identity";
import { RedisManagementClient } from "@azure/arm-rediscache";

const client = new RedisManagementClient(
  new DefaultAzureCredential(),
  process.env.AZURE_SUBSCRIPTION_ID,
  { endpoint: process.env.ARM_ENDPOINT },
);

const offered = () =>
  Object.entries(client).flatMap(([group, value]) =>
    Object.entries(value ?? {})
      .filter(([, method]) => typeof method === "function" && !group.startsWith("_"))
      .map(([method]) => [group, method]),
  );

async function answer([group, method, ...args]) {
  if (!method) return offered();
  const result = client[group][method](...args);
  if (!result[Symbol.asyncIterator]) return (await result) ?? null;
  const all = [];
  for await (const each of result) all.push(each);
  return all;
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply;
  try {
    reply = { result: await answer(JSON.parse(line)) };
  } catch (error) {
    reply = { code: error.code ?? error.name, message: error.message };
  }
  process.stdout.write(JSON.stringify(reply) + "\n");
}
