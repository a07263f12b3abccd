package darkroom.runtime.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.ledger.RunDigests;
import darkroom.runtime.run.CheckpointWriter;
import darkroom.tensors.OffHeapTensorStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run in its own process that is killed with SIGKILL. */
@Tag("cluster")
final class KilledRunTest {
    private static final List<String> SMALL = List.of(
            "steps=4",
            "rollout.groups-per-step=4",
            "rollout.images-per-group=4",
            "evaluation.tasks=2",
            "evaluation.images-per-task=1",
            "evaluation.every-steps=0",
            "checkpoints.every-steps=2",
            "workers.rollout-devices=1",
            "workers.trainer-devices=1");

    @TempDir
    Path directory = Path.of("unset");

    private List<String> train(String option, Path run) {
        List<String> arguments = new ArrayList<>(List.of("train", option, run.toString()));
        if (option.equals("--out")) {
            SMALL.forEach(pair -> arguments.addAll(List.of("--set", pair)));
        }
        return arguments;
    }

    private RunDigests run(List<String> arguments, Path run) throws Exception {
        try (CommandProcess process = CommandProcess.start(directory, arguments);
                OffHeapTensorStore store = new OffHeapTensorStore("test", 1L << 28)) {
            CommandProcess.Finished finished = process.await();
            assertThat(finished.code()).as(finished.printed()).isZero();
            return RunDigests.of(
                    store,
                    CheckpointWriter.in(run).loadNewest(store).orElseThrow().state());
        }
    }

    /** P-5, P-7. */
    @Test
    void a_process_that_is_killed_leaves_a_ledger_that_the_run_ends_exactly_from() throws Exception {
        Path straight = directory.resolve("straight");
        Path killed = directory.resolve("killed");
        RunDigests expected = run(train("--out", straight), straight);
        try (CommandProcess process = CommandProcess.start(directory, train("--out", killed))) {
            process.until(
                    "three steps are committed",
                    () -> Files.exists(killed.resolve("metrics.jsonl"))
                            && Files.readAllLines(killed.resolve("metrics.jsonl"))
                                            .size()
                                    >= 3);
            process.signal("KILL");
            process.awaitEnd();
        }
        assertThat(run(train("--resume", killed), killed)).isEqualTo(expected);
        try (CommandProcess audit = CommandProcess.start(directory, List.of("ledger", "audit", killed.toString()))) {
            CommandProcess.Finished finished = audit.await();
            assertThat(finished.printed()).contains("4 committed steps", "nothing is wrong");
            assertThat(finished.code()).isZero();
        }
    }
}
