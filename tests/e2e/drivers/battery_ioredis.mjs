// Takes the steps of a battery with ioredis.
import { Redis } from "ioredis";
import { ALL_BYTES, COMMANDS, SCRIPT, battery } from "./battery.mjs";

async function connected(target, use) {
  const { host, port, username, password, tls, ca } = target;
  const client = new Redis({
    host,
    port,
    username,
    password,
    tls: tls ? { ca } : undefined,
    lazyConnect: true,
    retryStrategy: null, // every failure is seen at once
  });
  let failure;
  client.on("error", (error) => (failure = error)); // connect() only says "closed"
  try {
    await client.connect().catch((error) => {
      throw failure ?? error;
    });
    return await use(client);
  } finally {
    client.disconnect();
  }
}

const answers = (replies) =>
  replies.map(([error, answer]) => {
    if (error) throw error;
    return answer;
  });

await battery("ioredis", connected, {
  async binary(client, key) {
    const name = Buffer.concat([Buffer.from(key), ALL_BYTES]);
    await client.set(name, ALL_BYTES);
    return (await client.getBuffer(name)).toString("hex");
  },
  async expiry(client, key) {
    await client.set(key, "value", "EX", 100);
    return client.ttl(key);
  },
  async transaction(client, key) {
    await client.del(key);
    await client.watch(key);
    return answers(await client.multi().incr(key).incr(key).exec());
  },
  async watch(client, key) {
    await client.watch(key);
    await client.incr(key);
    return client.multi().incr(key).exec();
  },
  script: (client, key) => client.eval(SCRIPT, 1, key, "argument"),
  async stream(client, key) {
    await client.del(key);
    await client.xgroup("CREATE", key, "group", "0", "MKSTREAM");
    await client.xadd(key, "*", "field", "value");
    const found = await client.xreadgroup("GROUP", "group", "me", "STREAMS", key, ">");
    const [[, [[id, [field, value]]]]] = found;
    return [{ [field]: value }, await client.xack(key, "group", id)];
  },
  async pubsub(client, key) {
    const listener = client.duplicate();
    try {
      const received = new Promise((resolve) =>
        listener.on("message", (_, message) => resolve(message)),
      );
      await listener.subscribe(key);
      await client.publish(key, "message");
      return await received;
    } finally {
      listener.disconnect();
    }
  },
  async pipeline(client, key) {
    await client.del(key);
    const pipeline = client.pipeline();
    for (let n = 0; n < COMMANDS; n++) pipeline.incr(key);
    return answers(await pipeline.exec());
  },
  config: (client) => client.config("GET", "maxmemory"),
});
