package darkroom.runtime;

import darkroom.actors.Token;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * In what process numbers and loopback addresses count: in every container, process 1 is another one, and 127.0.0.1 may be.
 *
 * @param processes a start of a machine, and a process namespace there
 * @param network a start of a machine, and a network namespace there
 */
record ProcessSpace(String processes, String network) {
    /** Of this process. Where the system does not tell, it has one of its own. */
    static final ProcessSpace HERE = new ProcessSpace(space("pid"), space("net"));

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
