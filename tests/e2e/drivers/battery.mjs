// What the batteries of the JavaScript clients share; see battery.py.
import { readFileSync } from "node:fs";

export const COMMANDS = 10_000; // in a pipeline
export const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, n) => n));
export const SCRIPT = "return {#KEYS, ARGV[1]}";

const env = process.env;

function target(transport, username, password, change = {}) {
  const tls = transport === "tls";
  const port = Number(tls ? env.CACHE_TLS_PORT : env.CACHE_PORT);
  const ca = tls ? readFileSync(env.CACHE_CA) : undefined;
  return { host: env.CACHE_HOST, port, tls, ca, username, password, ...change };
}

function logins(transport) {
  const ways = {
    key: target(transport, undefined, env.CACHE_PRIMARY),
    default: target(transport, "default", env.CACHE_PRIMARY),
    secondary: target(transport, undefined, env.CACHE_SECONDARY),
    entra: target(transport, env.CACHE_OBJECT_ID, env.CACHE_TOKEN),
    "wrong-key": target(transport, undefined, "wrong"),
    "wrong-token": target(transport, env.CACHE_OBJECT_ID, "wrong"),
  };
  if (transport === "tls") {
    const changed = (change) => target("tls", undefined, env.CACHE_PRIMARY, change);
    ways["no-ca"] = changed({ ca: undefined });
    ways.stranger = changed({ host: env.CACHE_STRANGER });
  }
  return Object.entries(ways);
}

// Connects by `connected(target, use)`, which gives what `use` gives of the client.
export async function battery(library, connected, steps) {
  for (const transport of ["tls", "plain"]) {
    for (const [way, target] of logins(transport))
      await take(`${transport}-${way}`, () => connected(target, (c) => c.ping()));
    await connected(target(transport, undefined, env.CACHE_PRIMARY), async (client) => {
      for (const [name, step] of Object.entries(steps))
        await take(`${transport}-${name}`, () =>
          step(client, `${library}:${transport}:${name}`),
        );
    });
  }
}

async function take(name, step) {
  let line;
  try {
    line = { name, ok: true, detail: (await step()) ?? null };
  } catch (error) {
    line = { name, ok: false, detail: `${error.name} ${error.code}: ${error.message}` };
  }
  process.stdout.write(JSON.stringify(line) + "\n");
}
