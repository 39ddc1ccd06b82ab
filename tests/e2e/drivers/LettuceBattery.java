import io.lettuce.core.ClientOptions;
import io.lettuce.core.Consumer;
import io.lettuce.core.LettuceFutures;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SetArgs;
import io.lettuce.core.SslOptions;
import io.lettuce.core.StreamMessage;
import io.lettuce.core.TransactionResult;
import io.lettuce.core.XGroupCreateArgs;
import io.lettuce.core.XReadArgs.StreamOffset;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Takes the steps of a battery with Lettuce. */
final class LettuceBattery implements AutoCloseable {
    private final RedisClient client;
    private final StatefulRedisConnection<String, String> connection;
    private final RedisCommands<String, String> commands;

    private LettuceBattery(RedisClient client) {
        this.client = client;
        connection = client.connect();
        commands = connection.sync();
    }

    public static void main(String[] arguments) throws Exception {
        Battery.run("lettuce", LettuceBattery::connect, (it, key) -> it.commands.ping(), List.of(
                new Battery.Named<>("binary", LettuceBattery::binary),
                new Battery.Named<>("expiry", LettuceBattery::expiry),
                new Battery.Named<>("transaction", LettuceBattery::transaction),
                new Battery.Named<>("watch", LettuceBattery::watch),
                new Battery.Named<>("script", LettuceBattery::script),
                new Battery.Named<>("stream", LettuceBattery::stream),
                new Battery.Named<>("pubsub", LettuceBattery::pubsub),
                new Battery.Named<>("pipeline", LettuceBattery::pipeline),
                new Battery.Named<>("config", (it, key) -> it.commands.configGet("maxmemory"))));
    }

    private static LettuceBattery connect(Battery.Target target) {
        RedisURI.Builder uri = RedisURI.builder()
                .withHost(target.host())
                .withPort(target.port())
                .withSsl(target.tls())
                .withTimeout(Duration.ofSeconds(Battery.LATE_SECONDS));
        if (target.username() == null) {
            uri.withPassword(target.password().toCharArray());
        } else {
            uri.withAuthentication(target.username(), target.password().toCharArray());
        }
        RedisClient client = RedisClient.create(uri.build());
        ClientOptions.Builder options = ClientOptions.builder().autoReconnect(false);
        if (target.tls() && target.ca() != null) {
            options.sslOptions(SslOptions.builder().trustManager(new File(target.ca())).build());
        }
        client.setOptions(options.build());
        try {
            return new LettuceBattery(client);
        } catch (RuntimeException error) {
            end(client);
            throw error;
        }
    }

    @Override
    public void close() {
        connection.close();
        end(client);
    }

    private static void end(RedisClient client) {
        client.shutdown(Duration.ZERO, Duration.ofSeconds(Battery.LATE_SECONDS));
    }

    private Object binary(String key) {
        ByteArrayOutputStream name = new ByteArrayOutputStream();
        name.writeBytes(key.getBytes(StandardCharsets.UTF_8));
        name.writeBytes(Battery.allBytes());
        try (StatefulRedisConnection<byte[], byte[]> raw = client.connect(ByteArrayCodec.INSTANCE)) {
            raw.sync().set(name.toByteArray(), Battery.allBytes());
            return HexFormat.of().formatHex(raw.sync().get(name.toByteArray()));
        }
    }

    private Object expiry(String key) {
        commands.set(key, "value", SetArgs.Builder.ex(100));
        return commands.ttl(key);
    }

    private Object transaction(String key) {
        commands.del(key);
        commands.watch(key);
        commands.multi();
        commands.incr(key);
        commands.incr(key);
        return commands.exec().stream().toList();
    }

    private Object watch(String key) {
        commands.watch(key);
        commands.incr(key);
        commands.multi();
        commands.incr(key);
        TransactionResult result = commands.exec();
        return result.wasDiscarded() ? null : result.stream().toList();
    }

    private Object script(String key) {
        List<Object> given = commands.eval(
                Battery.SCRIPT, ScriptOutputType.MULTI, new String[] {key}, "argument");
        return given;
    }

    private Object stream(String key) {
        commands.del(key);
        commands.xgroupCreate(
                StreamOffset.from(key, "0"), "group", XGroupCreateArgs.Builder.mkstream());
        commands.xadd(key, "field", "value");
        StreamMessage<String, String> message = commands
                .xreadgroup(Consumer.from("group", "me"), StreamOffset.lastConsumed(key))
                .get(0);
        return List.of(message.getBody(), commands.xack(key, "group", message.getId()));
    }

    private Object pubsub(String key) throws Exception {
        CompletableFuture<String> received = new CompletableFuture<>();
        try (StatefulRedisPubSubConnection<String, String> listener = client.connectPubSub()) {
            listener.addListener(new RedisPubSubAdapter<>() {
                @Override
                public void message(String channel, String message) {
                    received.complete(message);
                }
            });
            listener.sync().subscribe(key);
            commands.publish(key, "message");
            return received.get(Battery.LATE_SECONDS, TimeUnit.SECONDS);
        }
    }

    private Object pipeline(String key) throws Exception {
        commands.del(key);
        List<RedisFuture<Long>> answers = new ArrayList<>();
        connection.setAutoFlushCommands(false);
        for (int n = 0; n < Battery.COMMANDS; n++) answers.add(connection.async().incr(key));
        connection.flushCommands();
        connection.setAutoFlushCommands(true);
        LettuceFutures.awaitAll(
                Duration.ofSeconds(Battery.LATE_SECONDS), answers.toArray(new RedisFuture[0]));
        List<Long> counts = new ArrayList<>();
        for (RedisFuture<Long> answer : answers) counts.add(answer.get());
        return counts;
    }
}
