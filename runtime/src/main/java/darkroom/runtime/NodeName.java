package darkroom.runtime;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of one life of a process in a cluster, {@code ROLES-PID-TOKEN}, and of its workers, {@code ROLES-PID-TOKEN/SEAT}. What
 * {@link #toString} writes, {@link #parse} reads.
 *
 * @param called for people, for instance the roles: {@code rollout+reward}
 * @param pid its process, in the process namespace that it is in
 * @param token of letters and digits, of this life
 */
record NodeName(String called, long pid, String token) {
    private static final Pattern TEXT = Pattern.compile("([^/]+?)-(\\d{1,18})-([0-9a-zA-Z]+)(?:/.*)?");

    /** @return empty if it is neither the name of a node nor of one of its workers */
    static Optional<NodeName> parse(String nodeOrWorker) {
        Matcher parts = TEXT.matcher(nodeOrWorker);
        return parts.matches()
                ? Optional.of(new NodeName(parts.group(1), Long.parseLong(parts.group(2)), parts.group(3)))
                : Optional.empty();
    }

    /** Whether a node or a worker of this name is in the process. */
    static boolean isOf(long pid, String nodeOrWorker) {
        return parse(nodeOrWorker).filter(name -> name.pid == pid).isPresent();
    }

    /** What the node is there for, where it is called by its roles. */
    List<String> roles() {
        return List.of(called.split("\\+"));
    }

    @Override
    public String toString() {
        return "%s-%d-%s".formatted(called, pid, token);
    }
}
