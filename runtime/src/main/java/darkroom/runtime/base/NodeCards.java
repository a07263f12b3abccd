package darkroom.runtime.base;

import darkroom.actors.events.NodeCard;
import darkroom.tensors.PlanePeer;
import darkroom.tensors.Token;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Names and descriptions by which processes of this machine introduce themselves. */
public final class NodeCards {
    private static final Logger LOG = LoggerFactory.getLogger(NodeCards.class);
    private static final String AMX = ", AMX";
    private static final String AVX512_BF16 = ", AVX-512 BF16";
    private static final Path PROCESSORS = Path.of("/proc/cpuinfo");

    private NodeCards() {}

    /**
     * Returns a name that no other incarnation of any process has, in any namespace: a label, the process number and a
     * random token.
     *
     * @param called display label, for instance {@code rollout}
     */
    public static String name(String called) {
        return new NodeName(called, ProcessHandle.current().pid(), Token.suffix()).toString();
    }

    public static NodeCard card(String name, List<String> roles, PlanePeer plane, String status) {
        return new NodeCard(name, roles, processor(), Program.version(), plane, status);
    }

    /** Returns the model and the widest vector instructions, which decide the kernels that compute, and so the bits. */
    static String processor() {
        try {
            List<String> lines = Files.readAllLines(PROCESSORS);
            return field(lines, "model name") + vectors(field(lines, "flags"));
        } catch (IOException e) {
            LOG.debug("{} cannot be read", PROCESSORS, e);
            return System.getProperty("os.arch", "unknown");
        }
    }

    /** Whether the processor has instructions for bfloat16; false if unknown. */
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
}
