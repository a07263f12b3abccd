package darkroom.runtime.cluster;

import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.runtime.base.ProcessSpace;
import darkroom.runtime.report.Summary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The heartbeat of a run's control node, a file of the run's directory that all its control nodes share. It names the
 * active one; the ledger ensures that only one is active (LG-2).
 *
 * @param name of the node, unique to this incarnation
 * @param host scope of the process number: a boot of a machine, and a process namespace there, for instance that of a
 *     container
 * @param pid its process there
 * @param startedMillis when that process began, milliseconds since 1970, by its own machine; 0 if unknown
 * @param address host:port for messages
 * @param count increases while the node is alive
 * @param end how the run ended; null during the run
 * @param ended the same in words; empty during the run
 */
public record ControlHeartbeat(
        String name,
        String host,
        long pid,
        long startedMillis,
        String address,
        long count,
        Summary.End.@Nullable Kind end,
        String ended) {
    private static final Logger LOG = LoggerFactory.getLogger(ControlHeartbeat.class);
    static final String FILE = "control.json";
    private static final JsonMapper JSON = new JsonMapper();

    /** Returns the first heartbeat of this process. */
    static ControlHeartbeat first(String name, String address) {
        return new ControlHeartbeat(
                name,
                thisHost(),
                ProcessHandle.current().pid(),
                started(ProcessHandle.current()),
                address,
                0,
                null,
                "");
    }

    ControlHeartbeat next() {
        return new ControlHeartbeat(name, host, pid, startedMillis, address, count + 1, end, ended);
    }

    ControlHeartbeat endedBy(Summary.End.Kind kind, String how) {
        return new ControlHeartbeat(name, host, pid, startedMillis, address, count + 1, kind, how);
    }

    public boolean hasEnded() {
        return end != null;
    }

    /**
     * Reads the heartbeat; empty if there is none. An unreadable one counts as missing: the next one follows within a
     * second.
     */
    public static Optional<ControlHeartbeat> read(Path directory) {
        return readFrom(directory.resolve(FILE));
    }

    static Optional<ControlHeartbeat> readFrom(Path file) {
        try {
            return Optional.of(JSON.readValue(Files.readAllBytes(file), ControlHeartbeat.class));
        } catch (NoSuchFileException none) {
            LOG.trace("no heartbeat in {}", file, none);
            return Optional.empty();
        } catch (IOException e) {
            LOG.debug("the heartbeat in {} cannot be read", file, e);
            return Optional.empty();
        }
    }

    /** Replaces the existing heartbeat. */
    void write(Path directory) throws IOException {
        writeTo(directory.resolve(FILE));
    }

    void writeTo(Path file) throws IOException {
        Path part = file.resolveSibling("%s.%s.part".formatted(file.getFileName(), name));
        Files.write(part, JSON.writeValueAsBytes(this));
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    boolean isOfThisHost() {
        return host.equals(thisHost());
    }

    /** Returns the process if it is on this machine and alive, and is not another one with the same number. */
    public Optional<ProcessHandle> process() {
        return isOfThisHost()
                ? ProcessHandle.of(pid)
                        .filter(ProcessHandle::isAlive)
                        .filter(handle -> startedMillis == 0 || started(handle) == startedMillis)
                : Optional.empty();
    }

    private static long started(ProcessHandle handle) {
        return handle.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
    }

    private static String thisHost() {
        return ProcessSpace.HERE.processes();
    }
}
