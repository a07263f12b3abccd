package darkroom.runtime.base;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of one incarnation of a process in a cluster, {@code ROLES-PID-TOKEN}, and of its workers,
 * {@code ROLES-PID-TOKEN/SEAT}. {@link #parse} reads what {@link #toString} writes.
 *
 * @param called display label, for instance the roles: {@code rollout+reward}
 * @param pid number of the process in its own process namespace
 * @param token letters and digits that identify the incarnation
 */
public record NodeName(String called, long pid, String token) {
    private static final Pattern TEXT = Pattern.compile("([^/]+?)-(\\d{1,18})-([0-9a-zA-Z]+)(?:/.*)?");

    /**
     * Parses the name of a node or worker.
     *
     * @return empty if it is neither the name of a node nor of one of its workers
     */
    public static Optional<NodeName> parse(String nodeOrWorker) {
        Matcher parts = TEXT.matcher(nodeOrWorker);
        return parts.matches()
                ? Optional.of(new NodeName(parts.group(1), Long.parseLong(parts.group(2)), parts.group(3)))
                : Optional.empty();
    }

    /** Whether the node or worker of this name is in the process. */
    public static boolean isOf(long pid, String nodeOrWorker) {
        return parse(nodeOrWorker).filter(name -> name.pid == pid).isPresent();
    }

    /** Returns the roles of a node whose label is its roles. */
    public List<String> roles() {
        return List.of(called.split("\\+"));
    }

    @Override
    public String toString() {
        return "%s-%d-%s".formatted(called, pid, token);
    }
}
