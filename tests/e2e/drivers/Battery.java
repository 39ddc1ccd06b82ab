import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.json.JSONObject;

/** What the batteries of the Java clients share; see battery.py. */
final class Battery {
    static final int COMMANDS = 10_000; // in a pipeline
    static final String SCRIPT = "return {#KEYS, ARGV[1]}";
    static final int LATE_SECONDS = 10; // for what should be there at once

    /** Whom a client connects to; without a ca it trusts whom Java trusts. */
    record Target(
            String transport, String host, int port, String ca, String username, String password) {
        boolean tls() {
            return transport.equals("tls");
        }
    }

    interface Step {
        Object take() throws Exception;
    }

    interface ClientStep<C> {
        Object take(C client, String key) throws Exception;
    }

    interface Connect<C> {
        C to(Target target) throws Exception;
    }

    /** A step's name, and how it is taken. */
    record Named<T>(String name, T value) {}

    private Battery() {}

    static <C extends AutoCloseable> void run(
            String library,
            Connect<C> connect,
            ClientStep<C> ping,
            List<Named<ClientStep<C>>> steps)
            throws Exception {
        for (String transport : List.of("tls", "plain")) {
            for (Named<Target> way : logins(transport)) {
                report(transport + "-" + way.name(), () -> {
                    try (C client = connect.to(way.value())) {
                        return ping.take(client, "");
                    }
                });
            }
            try (C client = connect.to(to(transport, null, env("PRIMARY")))) {
                for (Named<ClientStep<C>> step : steps) {
                    String key = library + ":" + transport + ":" + step.name();
                    report(transport + "-" + step.name(), () -> step.value().take(client, key));
                }
            }
        }
    }

    static byte[] allBytes() {
        byte[] all = new byte[256];
        for (int n = 0; n < all.length; n++) all[n] = (byte) n;
        return all;
    }

    private static List<Named<Target>> logins(String transport) {
        List<Named<Target>> ways = new ArrayList<>();
        String primary = env("PRIMARY");
        ways.add(new Named<>("key", to(transport, null, primary)));
        ways.add(new Named<>("default", to(transport, "default", primary)));
        ways.add(new Named<>("secondary", to(transport, null, env("SECONDARY"))));
        ways.add(new Named<>("entra", to(transport, env("OBJECT_ID"), env("TOKEN"))));
        ways.add(new Named<>("wrong-key", to(transport, null, "wrong")));
        ways.add(new Named<>("wrong-token", to(transport, env("OBJECT_ID"), "wrong")));
        if (transport.equals("tls")) {
            Target here = to(transport, null, primary);
            ways.add(new Named<>(
                    "no-ca", new Target("tls", here.host(), here.port(), null, null, primary)));
            ways.add(new Named<>(
                    "stranger",
                    new Target("tls", env("STRANGER"), here.port(), here.ca(), null, primary)));
        }
        return ways;
    }

    private static Target to(String transport, String username, String password) {
        String port = env(transport.equals("tls") ? "TLS_PORT" : "PORT");
        return new Target(
                transport, env("HOST"), Integer.parseInt(port), env("CA"), username, password);
    }

    private static String env(String name) {
        return System.getenv("CACHE_" + name);
    }

    private static void report(String name, Step step) {
        Map<String, Object> line = new HashMap<>(Map.of("name", name));
        try {
            Object detail = step.take();
            line.put("ok", true);
            line.put("detail", detail == null ? JSONObject.NULL : detail);
        } catch (Exception error) {
            line.put("ok", false);
            line.put("detail", causes(error));
        }
        System.out.println(new JSONObject(line));
    }

    private static String causes(Throwable error) {
        String text = error.toString();
        return error.getCause() == null ? text : text + "; " + causes(error.getCause());
    }
}
