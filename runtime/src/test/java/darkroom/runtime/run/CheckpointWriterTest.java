package darkroom.runtime.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.actors.device.LearnerState;
import darkroom.actors.events.RunEvent;
import darkroom.actors.events.RunState;
import darkroom.actors.events.StepTally;
import darkroom.actors.events.StepTimings;
import darkroom.actors.ledger.LedgerEvent;
import darkroom.actors.statistics.StepStatistics;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.gpuworkers.checkpoints.Checkpoints;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorRef.ElementType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** P-7: the effect on a run of a disk that accepts no data for a while. */
class CheckpointWriterTest {
    private static final Duration NO_TIME = Duration.ZERO;

    /** The fault that {@link #takeDiskAway} causes. */
    private static final String NO_DIRECTORY = ": the file exists already";

    @TempDir
    Path run = Path.of("unset");

    private final OffHeapTensorStore store = new OffHeapTensorStore("here", 1 << 20);
    private final RunSettings settings = Recipes.load("embedded-demo", List.of("checkpoints.every-steps=1"));
    private CheckpointWriter writer = writer(Path.of("unset"));

    @BeforeEach
    void openWriter() {
        writer = writer(run);
    }

    @AfterEach
    void closeStore() {
        store.close();
    }

    @Test
    void a_checkpoint_that_cannot_be_written_leaves_the_one_before_and_the_run_goes_on() throws IOException {
        writer.heard(committed(1));
        Path away = takeDiskAway();
        writer.heard(committed(2));
        writer.heard(committed(3));
        giveDiskBack(away);

        assertThat(newest()).isEqualTo(1);
        writer.heard(committed(4));
        assertThat(newest()).isEqualTo(4);
        assertThat(writer.written())
                .as("the ledger records only those that exist")
                .extracting(LedgerEvent.CheckpointWritten::step)
                .containsExactly(1, 4);
    }

    @Test
    void when_no_checkpoint_can_be_written_any_more_the_run_ends_and_says_why() throws IOException {
        writer.heard(committed(1));
        takeDiskAway();
        for (int step = 2; step <= CheckpointWriter.FAILURES_MAX; step++) {
            writer.heard(committed(step));
        }
        assertThatThrownBy(() -> writer.heard(committed(CheckpointWriter.FAILURES_MAX + 1)))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("the checkpoint of step 6 could not be written: " + run.resolve("checkpoints"))
                .hasMessageEndingWith(NO_DIRECTORY);
    }

    @Test
    void the_last_checkpoint_of_a_run_is_never_given_up_silently() throws IOException {
        takeDiskAway();
        assertThatThrownBy(() -> writer.heard(new RunEvent.Ended(state(9), new RunEvent.End.Completed())))
                .hasMessageContaining("the checkpoint of step 9 could not be written: ")
                .hasMessageEndingWith(NO_DIRECTORY);
    }

    private int newest() throws IOException {
        Checkpoints.Loaded loaded = CheckpointWriter.in(run).loadNewest(store).orElseThrow();
        loaded.state().tensors().forEach(store::release);
        return loaded.manifest().step();
    }

    /** Replaces the directory by a file, so that nothing can be written there, whatever user runs the test. */
    private Path takeDiskAway() throws IOException {
        Path there = run.resolve("checkpoints");
        Path away = run.resolve("away");
        if (Files.exists(there)) {
            Files.move(there, away);
        }
        Files.createFile(there);
        return away;
    }

    private void giveDiskBack(Path away) throws IOException {
        Path there = run.resolve("checkpoints");
        Files.delete(there);
        Files.move(away, there);
    }

    private CheckpointWriter writer(Path directory) {
        return new CheckpointWriter(
                settings,
                store,
                new CheckpointWriter.Target(CheckpointWriter.in(directory), Optional.empty(), () -> {}),
                new CheckpointWriter.Start(new TreeMap<>(), 0),
                CheckpointWriter.Measured.NONE);
    }

    private RunEvent.StepCommitted committed(int step) {
        return new RunEvent.StepCommitted(
                step - 1,
                StepStatistics.of(List.of(), settings.groups()),
                new StepTally(0, 0, 0, 0, 0),
                0,
                List.of(),
                new StepTimings(NO_TIME, NO_TIME, NO_TIME, NO_TIME, NO_TIME),
                state(step));
    }

    private RunState state(int step) {
        RunState fresh = RunState.fresh(new LearnerState(step, tensor(), tensor(), tensor(), tensor(), tensor()));
        return new RunState(step, fresh.learner(), fresh.policyReleases(), "");
    }

    private TensorRef tensor() {
        return store.put(ElementType.FLOAT32, List.of(1), into -> into.fill((byte) 7));
    }
}
