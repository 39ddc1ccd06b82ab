import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.params.SetParams;
import redis.clients.jedis.params.XAddParams;
import redis.clients.jedis.params.XReadGroupParams;
import redis.clients.jedis.resps.StreamEntry;

/** Takes the steps of a battery with Jedis. */
final class JedisBattery implements AutoCloseable {
    private final Battery.Target target;
    private final Jedis client;

    private JedisBattery(Battery.Target target) throws Exception {
        this.target = target;
        client = new Jedis(new HostAndPort(target.host(), target.port()), config(target));
    }

    public static void main(String[] arguments) throws Exception {
        Battery.run("jedis", JedisBattery::new, (it, key) -> it.client.ping(), List.of(
                new Battery.Named<>("binary", JedisBattery::binary),
                new Battery.Named<>("expiry", JedisBattery::expiry),
                new Battery.Named<>("transaction", JedisBattery::transaction),
                new Battery.Named<>("watch", JedisBattery::watch),
                new Battery.Named<>("script", JedisBattery::script),
                new Battery.Named<>("stream", JedisBattery::stream),
                new Battery.Named<>("pubsub", JedisBattery::pubsub),
                new Battery.Named<>("pipeline", JedisBattery::pipeline),
                new Battery.Named<>("config", (it, key) -> it.client.configGet("maxmemory"))));
    }

    @Override
    public void close() {
        client.close();
    }

    private static DefaultJedisClientConfig config(Battery.Target target) throws Exception {
        DefaultJedisClientConfig.Builder config = DefaultJedisClientConfig.builder()
                .user(target.username())
                .password(target.password())
                .ssl(target.tls());
        if (target.tls()) {
            SSLParameters checked = new SSLParameters();
            checked.setEndpointIdentificationAlgorithm("HTTPS"); // the name, too
            config.sslParameters(checked);
            if (target.ca() != null) {
                config.sslSocketFactory(trusting(target.ca()).getSocketFactory());
            }
        }
        return config.build();
    }

    private static SSLContext trusting(String file) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (FileInputStream pem = new FileInputStream(file)) {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            for (Certificate each : factory.generateCertificates(pem)) {
                store.setCertificateEntry("ca-" + store.size(), each);
            }
        }
        TrustManagerFactory trust =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    private Object binary(String key) {
        ByteArrayOutputStream name = new ByteArrayOutputStream();
        name.writeBytes(key.getBytes(StandardCharsets.UTF_8));
        name.writeBytes(Battery.allBytes());
        client.set(name.toByteArray(), Battery.allBytes());
        return HexFormat.of().formatHex(client.get(name.toByteArray()));
    }

    private Object expiry(String key) {
        client.set(key, "value", SetParams.setParams().ex(100));
        return client.ttl(key);
    }

    private Object transaction(String key) {
        client.del(key);
        client.watch(key);
        try (AbstractTransaction batch = client.multi()) {
            batch.incr(key);
            batch.incr(key);
            return batch.exec();
        }
    }

    private Object watch(String key) throws Exception {
        client.watch(key);
        client.incr(key);
        try (AbstractTransaction batch = client.multi()) {
            batch.incr(key);
            return batch.exec();
        }
    }

    private Object script(String key) {
        return client.eval(Battery.SCRIPT, List.of(key), List.of("argument"));
    }

    private Object stream(String key) {
        client.del(key);
        client.xgroupCreate(key, "group", new StreamEntryID(0), true);
        client.xadd(key, Map.of("field", "value"), XAddParams.xAddParams());
        StreamEntry entry = client.xreadGroup(
                        "group", "me", XReadGroupParams.xReadGroupParams(),
                        Map.of(key, StreamEntryID.XREADGROUP_UNDELIVERED_ENTRY))
                .get(0).getValue().get(0);
        return List.of(entry.getFields(), client.xack(key, "group", entry.getID()));
    }

    private Object pubsub(String key) throws Exception {
        CompletableFuture<String> received = new CompletableFuture<>();
        JedisPubSub subscription = new JedisPubSub() {
            @Override
            public void onSubscribe(String channel, int subscriptions) {
                client.publish(channel, "message");
            }

            @Override
            public void onMessage(String channel, String message) {
                received.complete(message);
                unsubscribe();
            }
        };
        try (JedisBattery listener = new JedisBattery(target)) {
            listener.client.subscribe(subscription, key);
        }
        return received.get();
    }

    private Object pipeline(String key) {
        client.del(key);
        List<Response<Long>> answers = new ArrayList<>();
        try (Pipeline batch = client.pipelined()) {
            for (int n = 0; n < Battery.COMMANDS; n++) answers.add(batch.incr(key));
            batch.sync();
        }
        return answers.stream().map(Response::get).toList();
    }
}
