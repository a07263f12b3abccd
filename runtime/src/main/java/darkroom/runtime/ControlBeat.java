package darkroom.runtime;

import com.fasterxml.jackson.databind.json.JsonMapper;
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
 * The sign of life of a run's control node, a file of the run's directory that all its control nodes share. It tells who is
 * active; that two are not is the ledger's work (LG-2).
 *
 * @param name of the node, which no other life of any process has
 * @param host what its process number counts in: a start of a machine, and a process namespace there, for instance that of a container
 * @param pid its process there
 * @param startedMillis when that process began, milliseconds since 1970, by its own machine; 0 if unknown
 * @param address host:port for messages
 * @param count goes up while the node lives
 * @param end how the run ended; null during the run
 * @param ended the same in words; empty during the run
 */
record ControlBeat(
        String name,
        String host,
        long pid,
        long startedMillis,
        String address,
        long count,
        Summary.End.@Nullable Kind end,
        String ended) {
    private static final Logger LOG = LoggerFactory.getLogger(ControlBeat.class);
    static final String FILE = "control.json";
    private static final JsonMapper JSON = new JsonMapper();

    /** Of this process. */
    static ControlBeat first(String name, String address) {
        return new ControlBeat(
                name,
                thisHost(),
                ProcessHandle.current().pid(),
                started(ProcessHandle.current()),
                address,
                0,
                null,
                "");
    }

    ControlBeat next() {
        return new ControlBeat(name, host, pid, startedMillis, address, count + 1, end, ended);
    }

    ControlBeat endedBy(Summary.End.Kind kind, String how) {
        return new ControlBeat(name, host, pid, startedMillis, address, count + 1, kind, how);
    }

    boolean hasEnded() {
        return end != null;
    }

    /** Nothing if there is none. One that cannot be read is as good as none: the next one follows within the second. */
    static Optional<ControlBeat> read(Path directory) {
        return readFrom(directory.resolve(FILE));
    }

    static Optional<ControlBeat> readFrom(Path file) {
        try {
            return Optional.of(JSON.readValue(Files.readAllBytes(file), ControlBeat.class));
        } catch (NoSuchFileException none) {
            LOG.trace("no sign of life in {}", file, none);
            return Optional.empty();
        } catch (IOException e) {
            LOG.debug("the sign of life in {} cannot be read", file, e);
            return Optional.empty();
        }
    }

    /** Takes the place of what is there. */
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

    /** The process, if it is on this machine and lives, and is not another one with the same number. */
    Optional<ProcessHandle> process() {
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
