package darkroom.runtime.base;

import darkroom.tensors.Token;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The scope of process numbers and loopback addresses: every container has another process 1, and may have another
 * 127.0.0.1.
 *
 * @param processes a boot of a machine, and a process namespace there
 * @param network a boot of a machine, and a network namespace there
 */
public record ProcessSpace(String processes, String network) {
    /** The space of this process. If the system does not report it, the process has a space of its own. */
    public static final ProcessSpace HERE = new ProcessSpace(space("pid"), space("net"));

    private static String space(String kind) {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip()
                    + "/"
                    + Files.readSymbolicLink(Path.of("/proc/self/ns", kind));
        } catch (IOException e) {
            return "unknown/" + Token.suffix();
        }
    }
}
