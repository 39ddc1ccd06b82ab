// Takes the steps of a battery with node-redis.
import { RESP_TYPES, WatchError, createClient } from "redis";
import { ALL_BYTES, COMMANDS, SCRIPT, battery } from "./battery.mjs";

async function connected(target, use) {
  const { host, port, username, password, tls, ca } = target;
  const client = createClient({
    username,
    password,
    socket: { host, port, tls, ca, reconnectStrategy: false },
  });
  client.on("error", () => {}); // connect() throws it as well
  await client.connect();
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}

await battery("node-redis", connected, {
  async binary(client, key) {
    const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    const name = Buffer.concat([Buffer.from(key), ALL_BYTES]);
    await bytes.set(name, ALL_BYTES);
    return (await bytes.get(name)).toString("hex");
  },
  async expiry(client, key) {
    await client.set(key, "value", { expiration: { type: "EX", value: 100 } });
    return client.ttl(key);
  },
  async transaction(client, key) {
    await client.del(key);
    await client.watch(key);
    return client.multi().incr(key).incr(key).exec();
  },
  async watch(client, key) {
    await client.watch(key);
    await client.incr(key);
    try {
      return await client.multi().incr(key).exec();
    } catch (error) {
      if (error instanceof WatchError) return null;
      throw error;
    }
  },
  script: (client, key) => client.eval(SCRIPT, { keys: [key], arguments: ["argument"] }),
  async stream(client, key) {
    await client.del(key);
    await client.xGroupCreate(key, "group", "0", { MKSTREAM: true });
    await client.xAdd(key, "*", { field: "value" });
    const [found] = await client.xReadGroup("group", "me", { key, id: ">" });
    const [{ id, message }] = found.messages;
    return [message, await client.xAck(key, "group", id)];
  },
  async pubsub(client, key) {
    const listener = client.duplicate();
    await listener.connect();
    try {
      let subscribed;
      const received = new Promise((resolve) => {
        subscribed = listener.subscribe(key, resolve);
      });
      await subscribed;
      await client.publish(key, "message");
      return await received;
    } finally {
      listener.destroy();
    }
  },
  async pipeline(client, key) {
    await client.del(key);
    const pipeline = client.multi();
    for (let n = 0; n < COMMANDS; n++) pipeline.incr(key);
    return pipeline.execAsPipeline();
  },
  config: (client) => client.configGet("maxmemory"),
});
