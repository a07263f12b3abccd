package darkroom.runtime.chaos;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Number of processes of each role in a local cluster, as in {@code control=1,rollout=3,trainer=2,reward=1}.
 *
 * @param control control nodes, all but one of them standbys
 * @param rollout processes that generate images
 * @param trainer processes that train
 * @param reward processes that score
 */
public record NodeCounts(int control, int rollout, int trainer, int reward) {
    private static final int PROCESSES_MAX = 64;
    private static final int CONTROL_MAX = 5;

    /** Returns the number of standby control nodes. */
    public int standbys() {
        return control - 1;
    }

    /** Returns the roles of the processes other than the control nodes, in the order in which they are started. */
    public List<String> roles() {
        List<String> all = new ArrayList<>();
        for (int i = 0; i < rollout; i++) {
            all.add("rollout");
        }
        for (int i = 0; i < trainer; i++) {
            all.add("trainer");
        }
        for (int i = 0; i < reward; i++) {
            all.add("reward");
        }
        return all;
    }

    /** Parses a command-line value. */
    public static final class Converter implements ITypeConverter<NodeCounts> {
        @Override
        public NodeCounts convert(String text) {
            Map<String, Integer> counts =
                    new LinkedHashMap<>(Map.of("control", 1, "rollout", 0, "trainer", 0, "reward", 0));
            for (String part : text.split(",", -1)) {
                String[] sides = part.strip().split("=", -1);
                if (sides.length != 2 || !counts.containsKey(sides[0]) || !sides[1].matches("\\d{1,3}")) {
                    throw new TypeConversionException(
                            "\"%s\" is not ROLE=N with a role of control, rollout, trainer, reward".formatted(part));
                }
                counts.put(sides[0], Integer.parseInt(sides[1]));
            }
            int control = counts.getOrDefault("control", 0);
            if (control < 1 || control > CONTROL_MAX) {
                throw new TypeConversionException(
                        "control=%d: a run has one control node, and up to %d more that wait for its end"
                                .formatted(control, CONTROL_MAX - 1));
            }
            NodeCounts all = new NodeCounts(
                    control,
                    counts.getOrDefault("rollout", 0),
                    counts.getOrDefault("trainer", 0),
                    counts.getOrDefault("reward", 0));
            if (all.roles().size() > PROCESSES_MAX) {
                throw new TypeConversionException("%d processes are too many for one machine; allowed are up to %d"
                        .formatted(all.roles().size(), PROCESSES_MAX));
            }
            return all;
        }
    }
}
