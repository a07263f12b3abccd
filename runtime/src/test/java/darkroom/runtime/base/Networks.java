package darkroom.runtime.base;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** Network namespaces, each with a cable to a switch in this machine's own namespace; all are removed on close. */
public final class Networks implements AutoCloseable {
    private static final int SECONDS_MAX = 10;

    private final String prefix = "dk" + ProcessHandle.current().pid() % 100_000;
    private final String subnet = "10.231." + ProcessHandle.current().pid() % 250 + ".";
    private final List<String> names = new ArrayList<>();

    private Networks() {}

    /** Whether this process may create network namespaces. */
    public static boolean allowed() {
        if (!"root".equals(System.getProperty("user.name"))) {
            return false;
        }
        String probe = "dkprobe" + ProcessHandle.current().pid();
        return tried("ip", "netns", "add", probe) && tried("ip", "netns", "del", probe);
    }

    /** Whether random packet loss is available. */
    public static boolean canLose() {
        String probe = "dkprobe" + ProcessHandle.current().pid();
        try {
            return tried("ip", "netns", "add", probe)
                    && tried(losing(probe, 0.5).toArray(String[]::new));
        } finally {
            var _ = tried("ip", "netns", "del", probe);
        }
    }

    public static Networks open(int count) throws IOException {
        Networks networks = new Networks();
        try {
            networks.build(count);
            return networks;
        } catch (IOException e) {
            networks.close();
            throw e;
        }
    }

    private void build(int count) throws IOException {
        run("ip", "link", "add", prefix, "type", "bridge");
        run("ip", "addr", "add", address() + "/24", "dev", prefix);
        run("ip", "link", "set", prefix, "up");
        for (int i = 0; i < count; i++) {
            String name = prefix + "n" + i;
            run("ip", "netns", "add", name);
            names.add(name);
            run("ip", "link", "add", outer(i), "type", "veth", "peer", "name", "eth0", "netns", name);
            run("ip", "link", "set", outer(i), "master", prefix, "up");
            run("ip", "-n", name, "addr", "add", address(i) + "/24", "dev", "eth0");
            run("ip", "-n", name, "link", "set", "lo", "up");
            run("ip", "-n", name, "link", "set", "eth0", "up");
        }
    }

    private String outer(int i) {
        return prefix + "v" + i;
    }

    /** Returns the address of this machine. */
    public String address() {
        return subnet + 1;
    }

    /** Returns the address of the only machine in the network. */
    public String address(int i) {
        return subnet + (i + 2);
    }

    /** Returns the command prefix that starts a program in the network. */
    public List<String> in(int i) {
        return List.of("ip", "netns", "exec", names.get(i));
    }

    public void cut(int i) throws IOException {
        run("ip", "link", "set", outer(i), "down");
    }

    public void restore(int i) throws IOException {
        run("ip", "link", "set", outer(i), "up");
    }

    /**
     * Drops incoming packets at random.
     *
     * @param share share of the packets, 0 to 1
     */
    public void lose(int i, double share) throws IOException {
        run(losing(names.get(i), share).toArray(String[]::new));
    }

    private static List<String> losing(String network, double share) {
        return List.of(
                "ip",
                "netns",
                "exec",
                network,
                "iptables",
                "-A",
                "INPUT",
                "-m",
                "statistic",
                "--mode",
                "random",
                "--probability",
                String.format(Locale.ROOT, "%.3f", share),
                "-j",
                "DROP");
    }

    @Override
    public void close() {
        for (int i = 0; i < names.size(); i++) {
            var _ = tried("ip", "link", "del", outer(i));
            var _ = tried("ip", "netns", "del", names.get(i));
        }
        var _ = tried("ip", "link", "del", prefix);
    }

    private static boolean tried(String... command) {
        try {
            run(command);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static void run(String... command) throws IOException {
        Path said = Files.createTempFile("darkroom-network", ".log");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(said.toFile())
                    .start();
            if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IOException(
                        String.join(" ", command) + ": " + Files.readString(said, StandardCharsets.UTF_8));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        } finally {
            Files.deleteIfExists(said);
        }
    }
}
