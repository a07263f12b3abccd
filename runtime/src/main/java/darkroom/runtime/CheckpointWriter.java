package darkroom.runtime;

import darkroom.actors.LedgerEvent;
import darkroom.actors.RunEvent;
import darkroom.actors.RunListener;
import darkroom.actors.RunState;
import darkroom.actors.TensorStore;
import darkroom.config.CheckpointSettings;
import darkroom.config.ErrorReason;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.gpuworkers.CheckpointCopies;
import darkroom.gpuworkers.CheckpointManifest;
import darkroom.gpuworkers.Checkpoints;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
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
final class CheckpointWriter implements RunListener {
    /** Checkpoints in a row that may fail to be written before the run ends. */
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
     * @param counts totals of the run so far; empty for a new run
     * @param validations validation measures by step so far
     * @param validated whether a validation follows the commit of so many steps: its measure belongs into that checkpoint
     * @param saved step of the checkpoint that the run goes on from, 0 for a new run
     * @param refused called when a checkpoint could not be written
     * @param copies get a copy of each
     */
    CheckpointWriter(
            RunSettings settings,
            Checkpoints checkpoints,
            TensorStore store,
            Map<String, Long> counts,
            Supplier<SortedMap<Integer, Double>> validations,
            IntPredicate validated,
            int saved,
            Runnable refused,
            Optional<CheckpointCopies> copies) {
        this.settings = settings;
        this.checkpoints = checkpoints;
        this.store = store;
        this.counts = new TreeMap<>(counts);
        this.validations = validations;
        this.validated = validated;
        this.saved = saved;
        this.refused = refused;
        this.copies = copies;
    }

    /**
     * The second place for checkpoints, if there is one.
     *
     * @throws CommandFailedException if it cannot be one
     */
    static Optional<CheckpointCopies> copiesOf(RunSettings settings) {
        String where = settings.checkpoints().copyTo();
        try {
            return where.isEmpty() ? Optional.empty() : Optional.of(CheckpointCopies.in(where));
        } catch (IllegalArgumentException e) {
            throw new CommandFailedException(ErrorReason.of(e), ExitCode.USAGE);
        }
    }

    /** What two runs must have in common for one to go on from the other's checkpoint. */
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

    /** Whether the run has a checkpoint after so many steps. */
    static boolean isThere(Checkpoints checkpoints, int step) {
        try {
            return checkpoints.list().stream()
                    .anyMatch(place -> Checkpoints.step(place).orElse(-1) == step);
        } catch (IOException e) {
            return false;
        }
    }

    /** Totals over all steps of the run, those before a resumption included. */
    SortedMap<String, Long> counts() {
        return new TreeMap<>(counts);
    }

    private void count(String name, long more) {
        counts.merge(name, more, Long::sum);
    }

    /** A disk that is full for a while costs a checkpoint, loudly, and not the run. */
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
                    "{}: {}. The one before stands; the run goes on, {} more such failures in a row end it",
                    ErrorReason.of(e),
                    e.getCause(),
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
            throw new UncheckedIOException("the checkpoint of step %d could not be written".formatted(state.step()), e);
        }
    }

    private synchronized void note(LedgerEvent.CheckpointWritten written) {
        unrecorded.add(written);
    }

    /** What was written and not answered yet, for the ledger. */
    synchronized List<LedgerEvent.CheckpointWritten> written() {
        List<LedgerEvent.CheckpointWritten> all = List.copyOf(unrecorded);
        unrecorded.clear();
        return all;
    }

    /** Should the newest checkpoint be torn, the run goes on from one before; with fewer than are to be kept, from the start. */
    private int resumableFrom() throws IOException {
        List<Path> newestFirst = checkpoints.list();
        int kept = settings.checkpoints().keepLast();
        return newestFirst.size() < kept
                ? 0
                : Checkpoints.step(newestFirst.get(kept - 1)).orElse(0);
    }

    /** The step with the best validation measure, the earliest of equals. */
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

    /** The checkpoints of a run. */
    static Checkpoints in(Path run) {
        return new Checkpoints(placeIn(run));
    }
}
