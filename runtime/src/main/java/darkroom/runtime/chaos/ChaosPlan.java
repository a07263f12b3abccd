package darkroom.runtime.chaos;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigObject;
import darkroom.config.ErrorReason;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.faults.FaultKind;
import darkroom.runtime.faults.FaultMoment;
import darkroom.runtime.faults.FaultOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import picocli.CommandLine.TypeConversionException;

/**
 * A plan of faults for a run: a HOCON file, described in {@code docs/chaos.md}.
 *
 * @param title one line for the report
 * @param nodes processes of each role
 * @param steps of the run
 * @param runs number of disturbed runs, each with its own seed
 * @param restartAfter delay after which a process that died is restarted
 * @param hangAfter time without a committed step after which a run has failed
 * @param settings overrides of the run's settings
 * @param faults one after the other, or all at once
 * @param random additional random faults
 */
public record ChaosPlan(
        String title,
        NodeCounts nodes,
        int steps,
        int runs,
        Duration restartAfter,
        Duration hangAfter,
        List<String> settings,
        List<Planned> faults,
        Optional<Chance> random) {
    private static final int STEPS_MAX = 10_000;
    private static final int RUNS_MAX = 10_000;
    private static final int TIMES_MAX = 1000;
    /** In place of a role: any process. */
    static final String ANY = "any";

    private static final Set<String> ROLES = new TreeSet<>(List.of("control", "rollout", "trainer", "reward", ANY));

    public ChaosPlan {
        settings = List.copyOf(settings);
        faults = List.copyOf(faults);
    }

    /**
     * A fault of a plan, or of a random schedule made from one.
     *
     * @param on role of the affected process; {@code any} for any process
     * @param atStep minimum number of committed steps
     * @param after minimum time since the start of the run
     */
    record Planned(FaultOrder order, String on, int atStep, Duration after) {}

    /**
     * Random faults.
     *
     * @param kinds kinds to choose from
     * @param swarm whether each run has a random subset of the kinds: that finds more than all of them every time
     * @param on roles
     * @param everyMin shortest time between two faults
     * @param everyMax longest time between two faults
     * @param countMax maximum number in a run
     */
    record Chance(
            List<FaultOrder> kinds,
            boolean swarm,
            List<String> on,
            Duration everyMin,
            Duration everyMax,
            int countMax) {}

    /**
     * Reads a plan.
     *
     * @throws CommandFailedException naming the error and its place
     */
    public static ChaosPlan read(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new CommandFailedException("there is no plan " + file, ExitCode.USAGE);
        }
        try {
            return read(ConfigFactory.parseFile(file.toFile()).resolve(), file.toString());
        } catch (ConfigException e) {
            throw new CommandFailedException("%s: %s".formatted(file, ErrorReason.of(e)), ExitCode.USAGE);
        }
    }

    private static ChaosPlan read(Config plan, String where) {
        requireKnown(
                plan.root(),
                where,
                "title",
                "nodes",
                "steps",
                "runs",
                "restart-after",
                "hang-after",
                "settings",
                "faults",
                "random");
        List<Planned> faults = new ArrayList<>();
        if (plan.hasPath("faults")) {
            List<? extends Config> all = plan.getConfigList("faults");
            for (int i = 0; i < all.size(); i++) {
                faults.addAll(planned(all.get(i), "%s: faults, number %d".formatted(where, i + 1)));
            }
        }
        Optional<Chance> random =
                plan.hasPath("random") ? Optional.of(chance(plan.getConfig("random"), where)) : Optional.empty();
        require(!faults.isEmpty() || random.isPresent(), where + ": the plan has neither faults nor random");
        List<String> settings = new ArrayList<>();
        if (plan.hasPath("settings")) {
            plan.getConfig("settings").entrySet().stream()
                    .map(entry -> entry.getKey() + "=" + entry.getValue().render())
                    .sorted()
                    .forEach(settings::add);
        }
        return new ChaosPlan(
                plan.hasPath("title") ? plan.getString("title") : where,
                counts(
                        plan.hasPath("nodes") ? plan.getString("nodes") : "control=2,rollout=2,trainer=2,reward=1",
                        where),
                whole(plan, "steps", 8, STEPS_MAX, where),
                whole(plan, "runs", 1, RUNS_MAX, where),
                time(plan, "restart-after", Duration.ofMillis(500)),
                time(plan, "hang-after", Duration.ofMinutes(2)),
                settings,
                faults,
                random);
    }

    public static NodeCounts counts(String text, String where) {
        try {
            return new NodeCounts.Converter().convert(text);
        } catch (TypeConversionException e) {
            throw new CommandFailedException("%s: nodes: %s".formatted(where, ErrorReason.of(e)), ExitCode.USAGE);
        }
    }

    private static List<Planned> planned(Config fault, String where) {
        requireKnown(
                fault.root(),
                where,
                "kind",
                "on",
                "at-step",
                "after",
                "times",
                "every",
                "for",
                "share",
                "delay",
                "direction",
                "peer",
                "moment",
                "count");
        FaultOrder order = order(fault, where);
        String on = role(fault.hasPath("on") ? fault.getString("on") : usualRole(order), where);
        require(
                order.moment().filter(FaultMoment::isOfControl).isEmpty() || on.equals("control"),
                "%s: only a control node ever gets to moment=%s; on=%s"
                        .formatted(where, order.moment().orElse(null), on));
        int atStep = fault.hasPath("at-step") ? whole(fault, "at-step", 0, STEPS_MAX, where) : 0;
        Duration after = time(fault, "after", Duration.ZERO);
        Duration every = time(fault, "every", Duration.ofSeconds(1));
        int times = whole(fault, "times", 1, TIMES_MAX, where);
        List<Planned> all = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            all.add(new Planned(order, on, atStep, after.plus(every.multipliedBy(i))));
        }
        return all;
    }

    /** Returns the default role of a fault. */
    private static String usualRole(FaultOrder order) {
        return switch (order.kind()) {
            case SCORER_ERROR, SCORER_HANG, SCORER_GARBAGE, SCORER_BREAK_OFF, SCORER_SLOW, SCORER_WRONG -> "reward";
            case DISK_FULL, TORN_CHECKPOINT, LEDGER_GONE, CLOCK_JUMP -> "control";
            case KILL_AT -> order.moment().filter(FaultMoment::isOfControl).isPresent() ? "control" : "rollout";
            case CRASH_ACTOR, HANG_DEVICE, SLOW_DEVICE, JOIN_STORM, LEAVE_STORM, KILL_STORM -> "rollout";
            default -> ANY;
        };
    }

    private static FaultOrder order(Config fault, String where) {
        require(fault.hasPath("kind"), where + ": kind is missing");
        try {
            FaultOrder usual = FaultOrder.usual(FaultKind.of(fault.getString("kind")));
            return new FaultOrder(
                    usual.kind(),
                    time(fault, "for", Duration.ofMillis(usual.forMillis())).toMillis(),
                    fault.hasPath("share") ? fault.getDouble("share") : usual.share(),
                    time(fault, "delay", Duration.ofMillis(usual.delayMillis())).toMillis(),
                    fault.hasPath("direction")
                            ? FaultOrder.Direction.of(fault.getString("direction"))
                            : usual.direction(),
                    fault.hasPath("peer") ? fault.getString("peer") : usual.peer(),
                    fault.hasPath("moment") ? Optional.of(FaultMoment.of(fault.getString("moment"))) : usual.moment(),
                    fault.hasPath("count") ? fault.getInt("count") : usual.count());
        } catch (IllegalArgumentException e) {
            throw new CommandFailedException("%s: %s".formatted(where, ErrorReason.of(e)), ExitCode.USAGE);
        }
    }

    private static Chance chance(Config random, String file) {
        String where = file + ": random";
        requireKnown(random.root(), where, "kinds", "swarm", "on", "every-min", "every-max", "count-max");
        require(random.hasPath("kinds"), where + ": kinds is missing, a list of names or of faults");
        List<FaultOrder> kinds = new ArrayList<>();
        for (var value : random.getList("kinds")) {
            Config fault = value instanceof ConfigObject object
                    ? object.toConfig()
                    : ConfigFactory.parseMap(Map.of("kind", String.valueOf(value.unwrapped())));
            requireKnown(fault.root(), where, "kind", "for", "share", "delay", "direction", "peer", "moment", "count");
            kinds.add(order(fault, where));
        }
        require(!kinds.isEmpty(), where + ": kinds is empty");
        List<String> on = random.hasPath("on")
                ? random.getStringList("on").stream()
                        .map(role -> role(role, where))
                        .toList()
                : List.of("rollout", "trainer", "reward");
        Duration min = time(random, "every-min", Duration.ofMillis(500));
        Duration max = time(random, "every-max", Duration.ofSeconds(3));
        require(min.compareTo(max) <= 0 && min.isPositive(), where + ": every-min is above every-max, or 0");
        return new Chance(
                kinds,
                !random.hasPath("swarm") || random.getBoolean("swarm"),
                on,
                min,
                max,
                whole(random, "count-max", 20, TIMES_MAX, where));
    }

    private static String role(String role, String where) {
        require(ROLES.contains(role), "%s: on=%s: allowed are %s".formatted(where, role, ROLES));
        return role;
    }

    private static int whole(Config config, String key, int otherwise, int max, String where) {
        int value = config.hasPath(key) ? config.getInt(key) : otherwise;
        require(value >= 0 && value <= max, "%s: %s=%d: allowed are 0 to %d".formatted(where, key, value, max));
        return value;
    }

    private static Duration time(Config config, String key, Duration otherwise) {
        return config.hasPath(key) ? config.getDuration(key) : otherwise;
    }

    private static void requireKnown(ConfigObject object, String where, String... known) {
        Set<String> unknown = new TreeSet<>(object.keySet());
        unknown.removeAll(List.of(known));
        require(unknown.isEmpty(), "%s: there is no %s; there are %s".formatted(where, unknown, List.of(known)));
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new CommandFailedException(otherwise, ExitCode.USAGE);
        }
    }

    public ChaosPlan with(
            NodeCounts otherNodes, OptionalInt otherSteps, OptionalInt otherRuns, List<String> moreSettings) {
        List<String> all = new ArrayList<>(settings);
        all.addAll(moreSettings);
        return new ChaosPlan(
                title,
                otherNodes,
                otherSteps.orElse(steps),
                otherRuns.orElse(runs),
                restartAfter,
                hangAfter,
                all,
                faults,
                random);
    }

    /** Returns the faults of one run in order of time, a function of the plan and the seed. */
    public List<Planned> schedule(long seed) {
        List<Planned> all = new ArrayList<>(faults);
        random.ifPresent(chance -> {
            RandomGenerator dice = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
            List<FaultOrder> kinds = new ArrayList<>(chance.kinds());
            if (chance.swarm()) {
                kinds.removeIf(_ -> dice.nextBoolean());
                if (kinds.isEmpty()) {
                    kinds.add(chance.kinds().get(dice.nextInt(chance.kinds().size())));
                }
            }
            long millis = 0;
            for (int i = 0; i < chance.countMax(); i++) {
                millis += chance.everyMin().toMillis()
                        + dice.nextLong(
                                chance.everyMax().minus(chance.everyMin()).toMillis() + 1);
                FaultOrder order = kinds.get(dice.nextInt(kinds.size()));
                String role = chance.on().get(dice.nextInt(chance.on().size()));
                all.add(new Planned(order, fitting(order, role), 0, Duration.ofMillis(millis)));
            }
        });
        all.sort(Comparator.comparingInt(Planned::atStep).thenComparing(Planned::after));
        return all;
    }

    private static String fitting(FaultOrder order, String role) {
        String usual = usualRole(order);
        return switch (order.kind()) {
            case KILL, TERM, STOP, PAUSE, PARTITION, ARTERY_CUT, TENSOR_LOSS, TENSOR_DELAY, TENSOR_DUPLICATE -> role;
            case JOIN_STORM, LEAVE_STORM, KILL_STORM, CRASH_ACTOR, HANG_DEVICE, SLOW_DEVICE ->
                role.equals("control") || role.equals(ANY) ? usual : role;
            default -> usual;
        };
    }
}
