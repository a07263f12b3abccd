package darkroom.gpuworkers.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.jimfs.Configuration;
import com.google.common.jimfs.Jimfs;
import darkroom.actors.device.LearnerState;
import darkroom.actors.events.RunState;
import darkroom.actors.ledger.RunDigests;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorRef.ElementType;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** P-7 in a limited file system: no forcing, and a provider other than the default one. */
class CheckpointCopiesTest {
    @TempDir
    Path run = Path.of("unset");

    private final OffHeapTensorStore store = new OffHeapTensorStore("here", 1 << 20);
    private FileSystem elsewhere;
    private Path place;
    private CheckpointCopies copies;
    private Checkpoints checkpoints;

    @BeforeEach
    void open() {
        elsewhere = Jimfs.newFileSystem("elsewhere", Configuration.unix());
        place = elsewhere.getPath("/runs/mine");
        copies = CheckpointCopies.in(place.toUri().toString());
        checkpoints = new Checkpoints(run.resolve("checkpoints"));
    }

    @AfterEach
    void close() throws IOException {
        store.close();
        elsewhere.close();
    }

    private RunDigests save(int step) throws IOException {
        RunState fresh = RunState.fresh(
                new LearnerState(step, tensor(step), tensor(step), tensor(step), tensor(step + 1), tensor(step + 2)));
        RunState state = new RunState(step, fresh.learner(), fresh.policyReleases(), "decisions " + step);
        Path saved = checkpoints.save(
                new CheckpointManifest("run", step, step, 1, "settings", new TreeMap<>(), new TreeMap<>()),
                state,
                store);
        checkpoints.prune(2, OptionalInt.empty());
        copies.take(saved, checkpoints.list());
        return RunDigests.of(store, state);
    }

    private TensorRef tensor(int content) {
        return store.put(ElementType.FLOAT32, List.of(100), into -> into.fill((byte) content));
    }

    private List<String> names() throws IOException {
        try (var all = Files.list(place)) {
            return all.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void what_is_kept_here_is_kept_there() throws IOException {
        save(1);
        save(2);
        save(3);
        assertThat(names()).containsExactly("step-000002", "step-000003");
    }

    @Test
    void a_run_whose_disk_is_lost_goes_on_from_the_copy_bit_for_bit() throws IOException {
        save(1);
        RunDigests saved = save(2);
        removeAll(run.resolve("checkpoints"));

        assertThat(copies.restore(run.resolve("checkpoints"))).contains("step-000002");

        Checkpoints.Loaded loaded = checkpoints.loadNewest(store).orElseThrow();
        assertThat(RunDigests.of(store, loaded.state())).isEqualTo(saved);
    }

    @Test
    void a_torn_checkpoint_is_replaced_by_its_whole_copy() throws IOException {
        save(1);
        RunDigests saved = save(2);
        Path torn = run.resolve("checkpoints/step-000002/learner.safetensors");
        Files.write(torn, new byte[10]);

        assertThat(copies.restore(run.resolve("checkpoints"))).containsExactly("step-000002");

        Checkpoints.Loaded loaded = checkpoints.loadNewest(store).orElseThrow();
        assertThat(loaded.refused()).isEmpty();
        assertThat(RunDigests.of(store, loaded.state())).isEqualTo(saved);
    }

    @Test
    void copies_that_are_torn_or_were_never_finished_are_not_brought_back() throws IOException {
        save(1);
        save(2);
        removeAll(run.resolve("checkpoints"));
        Files.delete(place.resolve("step-000002/manifest.json"));
        Files.write(place.resolve("step-000001/learner.safetensors"), new byte[10]);

        assertThat(copies.restore(run.resolve("checkpoints"))).isEmpty();
        assertThat(checkpoints.list()).isEmpty();
    }

    @Test
    void nothing_is_brought_where_the_own_checkpoint_is_whole_and_as_new() throws IOException {
        save(1);
        assertThat(copies.restore(run.resolve("checkpoints"))).isEmpty();
    }

    @Test
    void a_file_system_that_is_not_installed_is_named() {
        assertThatThrownBy(() -> CheckpointCopies.in("s4://bucket/run"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("checkpoints.copy-to=\"s4://bucket/run\"")
                .hasMessageContaining("DARKROOM_CLASS_PATH");
    }

    private static void removeAll(Path directory) throws IOException {
        try (var all = Files.walk(directory)) {
            for (Path path : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
