package darkroom.runtime.run;

import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunListener;
import darkroom.actors.events.RunState;
import darkroom.actors.ledger.LedgerEvent;
import darkroom.config.CheckpointSettings;
import darkroom.config.ErrorReason;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.gpuworkers.checkpoints.CheckpointCopies;
import darkroom.gpuworkers.checkpoints.CheckpointManifest;
import darkroom.gpuworkers.checkpoints.Checkpoints;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.Evaluations;
import darkroom.runtime.base.ExitCode;
import darkroom.tensors.TensorStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes a checkpoint every {@code checkpoints.every-steps} commits and one at the end; keeps the newest and the best. */
public final class CheckpointWriter implements RunListener {
    /** Number of consecutive checkpoints that cannot be written after which the run ends. */
    static final int FAILURES_MAX = 5;

    private static final Logger LOG = LoggerFactory.getLogger(CheckpointWriter.class);

    private final RunSettings settings;
    private final Checkpoints checkpoints;
    private final TensorStore store;
    private final Supplier<SortedMap<Integer, Double>> validations;
    private final SortedMap<String, Long> counts;
    private final IntPredicate validated;
    private final Runnable refused;
    private final Optional<CheckpointCopies> copies;
    private int saved;
    private int failures;
    private @Nullable RunState awaited;
    private final List<LedgerEvent.CheckpointWritten> unrecorded = new ArrayList<>();

    /**
     * The destination of checkpoints.
     *
     * @param copies receives a copy of each checkpoint
     * @param refused called when a checkpoint could not be written
     */
    public record Target(Checkpoints checkpoints, Optional<CheckpointCopies> copies, Runnable refused) {}

    /**
     * The state of the run when the writer begins.
     *
     * @param counts totals of the run so far; empty for a new run
     * @param saved step of the checkpoint that the run resumes from; -1 for a new run
     */
    public record Start(SortedMap<String, Long> counts, int saved) {
        public static final Start NEW = new Start(new TreeMap<>(), -1);

        public Start {
            counts = Collections.unmodifiableSortedMap(new TreeMap<>(counts));
        }

        /** Returns the start of a run that resumes from this checkpoint. */
        static Start of(CheckpointManifest manifest) {
            return new Start(new TreeMap<>(manifest.counts()), manifest.step());
        }
    }

    /**
     * Validations of the run.
     *
     * @param measures validation measures by step so far
     * @param follows whether a validation follows the commit of this many steps: its measure belongs in that checkpoint
     */
    public record Measured(Supplier<SortedMap<Integer, Double>> measures, IntPredicate follows) {
        /** A run without validations. */
        public static final Measured NONE = new Measured(TreeMap::new, _ -> false);
    }

    /** Creates a writer of a run whose tensors are in the store. */
    public CheckpointWriter(RunSettings settings, TensorStore store, Target target, Start start, Measured measured) {
        this.settings = settings;
        this.checkpoints = target.checkpoints();
        this.store = store;
        this.counts = new TreeMap<>(start.counts());
        this.validations = measured.measures();
        this.validated = measured.follows();
        this.saved = start.saved();
        this.refused = target.refused();
        this.copies = target.copies();
    }

    /**
     * Returns the second location for checkpoints, if one is set.
     *
     * @throws CommandFailedException if the location cannot be used
     */
    static Optional<CheckpointCopies> copiesOf(RunSettings settings) {
        String where = settings.checkpoints().copyTo();
        try {
            return where.isEmpty() ? Optional.empty() : Optional.of(CheckpointCopies.in(where));
        } catch (IllegalArgumentException e) {
            throw new CommandFailedException(ErrorReason.of(e), ExitCode.USAGE);
        }
    }

    /** Returns the digest of the settings that two runs must share for one to resume from the other's checkpoint. */
    static String settingsDigest(RunSettings settings) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256")
                            .digest(Recipes.deciding(settings).getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    @Override
    public void heard(RunEvent event) {
        switch (event) {
            case RunEvent.StepCommitted committed -> {
                count("issued", committed.tally().issued());
                count("counted", committed.tally().counted());
                count("dropped", committed.tally().dropped());
                count("unscored", committed.tally().unscored());
                count("abandoned", committed.tally().abandoned());
                CheckpointSettings when = settings.checkpoints();
                int step = committed.state().step();
                if (when.everySteps() > 0 && step % when.everySteps() == 0) {
                    if (validated.test(step)) {
                        awaited = committed.state();
                    } else {
                        trySaving(committed.state());
                    }
                }
            }
            case RunEvent.Evaluated evaluated -> {
                RunState state = awaited;
                if (state != null && Evaluations.isValidation(evaluated.request())) {
                    awaited = null;
                    trySaving(state);
                }
            }
            case RunEvent.Ended ended -> {
                awaited = null;
                if (ended.state().step() != saved || !isThere(checkpoints, saved)) {
                    save(ended.state());
                }
            }
            default -> {}
        }
    }

    /** Whether the run has a checkpoint after this many steps. */
    static boolean isThere(Checkpoints checkpoints, int step) {
        try {
            return checkpoints.list().stream()
                    .anyMatch(place -> Checkpoints.step(place).orElse(-1) == step);
        } catch (IOException e) {
            return false;
        }
    }

    /** Returns the totals over all steps of the run, including those before it was resumed. */
    SortedMap<String, Long> counts() {
        return new TreeMap<>(counts);
    }

    private void count(String name, long more) {
        counts.merge(name, more, Long::sum);
    }

    /** Saves a checkpoint; if the disk is full for a while, logs an error and loses this checkpoint, not the run. */
    private void trySaving(RunState state) {
        try {
            save(state);
            failures = 0;
        } catch (UncheckedIOException e) {
            failures++;
            refused.run();
            if (failures >= FAILURES_MAX) {
                throw e;
            }
            LOG.error(
                    "{}. The previous one remains; the run continues, {} more failures in a row end it",
                    ErrorReason.of(e),
                    FAILURES_MAX - failures);
        }
    }

    private void save(RunState state) {
        SortedMap<Integer, Double> measures = validations.get();
        try {
            Path place = checkpoints.save(
                    new CheckpointManifest(
                            "run",
                            state.step(),
                            state.learner().optimizerSteps(),
                            settings.seed(),
                            settingsDigest(settings),
                            counts,
                            measures),
                    state,
                    store);
            checkpoints.prune(settings.checkpoints().keepLast(), best(measures));
            saved = state.step();
            Optional<CheckpointCopies> second = copies;
            if (second.isPresent()) {
                second.get().take(place, checkpoints.list());
            }
            note(new LedgerEvent.CheckpointWritten(state.step(), Checkpoints.digest(place), resumableFrom()));
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "the checkpoint of step %d could not be written: %s".formatted(state.step(), ErrorReason.of(e)), e);
        }
    }

    private synchronized void note(LedgerEvent.CheckpointWritten written) {
        unrecorded.add(written);
    }

    /** Returns the checkpoints written since the last call, for the ledger. */
    public synchronized List<LedgerEvent.CheckpointWritten> written() {
        List<LedgerEvent.CheckpointWritten> all = List.copyOf(unrecorded);
        unrecorded.clear();
        return all;
    }

    /**
     * Returns the oldest step that the run may resume from if newer checkpoints are torn; 0 while fewer checkpoints
     * exist than are kept.
     */
    private int resumableFrom() throws IOException {
        List<Path> newestFirst = checkpoints.list();
        int kept = settings.checkpoints().keepLast();
        return newestFirst.size() < kept
                ? 0
                : Checkpoints.step(newestFirst.get(kept - 1)).orElse(0);
    }

    /** Returns the step with the best validation measure, the earliest if several are equal. */
    static OptionalInt best(SortedMap<Integer, Double> measures) {
        OptionalInt best = OptionalInt.empty();
        double highest = Double.NEGATIVE_INFINITY;
        for (Map.Entry<Integer, Double> measure : measures.entrySet()) {
            if (measure.getValue() > highest) {
                highest = measure.getValue();
                best = OptionalInt.of(measure.getKey());
            }
        }
        return best;
    }

    static Path placeIn(Path run) {
        return run.resolve("checkpoints");
    }

    /** Returns the checkpoints of a run. */
    public static Checkpoints in(Path run) {
        return new Checkpoints(placeIn(run));
    }
}
