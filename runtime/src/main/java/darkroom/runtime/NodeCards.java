package darkroom.runtime;

import darkroom.actors.NodeCard;
import darkroom.actors.PlanePeer;
import darkroom.actors.Token;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;

/** How processes of this machine introduce themselves. */
final class NodeCards {
    private static final String AMX = ", AMX";
    private static final String AVX512_BF16 = ", AVX-512 BF16";
    private static final Path PROCESSORS = Path.of("/proc/cpuinfo");

    private NodeCards() {}

    /**
     * A name that no other life of any process has, in any namespace: what it is called, its process, and something random.
     *
     * @param called for people, for instance {@code rollout}
     */
    static String name(String called) {
        return new NodeName(called, ProcessHandle.current().pid(), Token.suffix()).toString();
    }

    static NodeCard card(String name, List<String> roles, PlanePeer plane, String status) {
        return new NodeCard(name, roles, processor(), build(), plane, status);
    }

    /** Model and widest vector instructions: what decides which kernels compute, and so the bits. */
    static String processor() {
        try {
            List<String> lines = Files.readAllLines(PROCESSORS);
            return field(lines, "model name") + vectors(field(lines, "flags"));
        } catch (IOException e) {
            return System.getProperty("os.arch", "unknown");
        }
    }

    /** Whether the processor has instructions for bfloat16. Where nobody can tell, it has none. */
    static boolean offersBf16() {
        return processor().endsWith(AMX) || processor().endsWith(AVX512_BF16);
    }

    private static String field(List<String> lines, String name) {
        return lines.stream()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("unknown");
    }

    private static String vectors(String flags) {
        List<String> all = List.of(flags.split(" "));
        return all.contains("amx_bf16")
                ? AMX
                : all.contains("avx512_bf16")
                        ? AVX512_BF16
                        : all.contains("avx512f") ? ", AVX-512" : all.contains("avx2") ? ", AVX2" : "";
    }

    /** Version of this build. */
    static String build() {
        Properties build = new Properties();
        try (var in = Darkroom.class.getResourceAsStream("build.properties")) {
            if (in != null) {
                build.load(in);
            }
        } catch (IOException e) {
            throw new IllegalStateException("the jar is broken: build.properties cannot be read", e);
        }
        return build.getProperty("version", "unknown");
    }
}
