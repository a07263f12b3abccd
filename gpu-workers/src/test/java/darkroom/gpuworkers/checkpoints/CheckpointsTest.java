package darkroom.gpuworkers.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import darkroom.actors.device.LearnerState;
import darkroom.actors.device.PolicyVersion;
import darkroom.actors.events.PolicyRelease;
import darkroom.actors.events.RunState;
import darkroom.actors.ledger.RunDigests;
import darkroom.actors.statistics.PromptBan;
import darkroom.tensors.OffHeapTensorStore;
import darkroom.tensors.TensorRef;
import darkroom.tensors.TensorRef.ElementType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** P-7: a checkpoint is either whole and verified or missing. */
class CheckpointsTest {
    private static final int PARAMETERS = 1000;

    @TempDir
    Path directory = Path.of("unset");

    private OffHeapTensorStore store = new OffHeapTensorStore("here", 1 << 20);
    private Checkpoints checkpoints = new Checkpoints(Path.of("unset"));

    @BeforeEach
    void openStore() {
        checkpoints = new Checkpoints(directory.resolve("checkpoints"));
    }

    @AfterEach
    void closeStore() {
        store.close();
    }

    @Test
    void a_saved_state_comes_back_bit_for_bit_with_its_manifest() throws IOException {
        RunState state = state(7);
        CheckpointManifest manifest = manifest(7);
        checkpoints.save(manifest, state, store);

        Checkpoints.Loaded loaded = checkpoints.loadNewest(store).orElseThrow();

        assertThat(loaded.manifest()).isEqualTo(manifest);
        assertThat(loaded.refused()).isEmpty();
        assertThat(RunDigests.of(store, loaded.state())).isEqualTo(RunDigests.of(store, state));
        assertThat(loaded.state().policyReleases())
                .extracting(PolicyRelease::version, PolicyRelease::ban)
                .containsExactlyElementsOf(state.policyReleases().stream()
                        .map(policyRelease -> tuple(policyRelease.version(), policyRelease.ban()))
                        .toList());
        for (int i = 0; i < state.policyReleases().size(); i++) {
            assertThat(TensorDigests.of(
                            store,
                            List.of(loaded.state().policyReleases().get(i).weights())))
                    .isEqualTo(TensorDigests.of(
                            store, List.of(state.policyReleases().get(i).weights())));
        }
        assertThat(loaded.state().newest().weights())
                .isEqualTo(loaded.state().learner().old());
    }

    /** P-7: between the two renames of a save of the same step both copies are whole, and one of them is found. */
    @Test
    void a_save_that_dies_between_its_two_renames_loses_no_checkpoint() throws IOException {
        Path directory = Objects.requireNonNull(
                checkpoints.save(manifest(1), state(1), store).getParent());
        Checkpoints dying = new Checkpoints(
                directory,
                () -> {},
                () -> {
                    throw new IllegalStateException("killed");
                },
                () -> {});
        assertThatThrownBy(() -> dying.save(manifest(1), state(1), store)).hasMessage("killed");

        assertThat(checkpoints.list()).containsExactly(directory.resolve("step-000001.replaced"));
        assertThat(checkpoints.prune(1, OptionalInt.empty()))
                .as("what an interrupted save left")
                .containsExactly(directory.resolve("step-000001.partial"));
        assertThat(checkpoints.loadNewest(store).orElseThrow().manifest().step())
                .isEqualTo(1);

        Path place = checkpoints.save(manifest(1), state(1), store);
        assertThat(checkpoints.list()).containsExactly(place);
        checkpoints.prune(1, OptionalInt.empty());
        assertThat(directory.resolve("step-000001.replaced")).doesNotExist();
    }

    @Test
    void no_checkpoint_at_all_is_no_error() throws IOException {
        assertThat(checkpoints.loadNewest(store)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"learner.safetensors", "manifest.json"})
    void when_any_byte_is_altered_the_checkpoint_is_refused_by_name(String name) throws IOException {
        Path checkpoint = checkpoints.save(manifest(2), state(2), store);
        Path victim = checkpoint.resolve(name);
        byte[] whole = Files.readAllBytes(victim);
        int refused = 0;
        for (int position = 0; position < whole.length; position += Math.max(1, whole.length / 200)) {
            byte[] altered = whole.clone();
            altered[position] ^= 1;
            Files.write(victim, altered);
            try {
                assertThat(Checkpoints.verify(checkpoint))
                        .as("white space that changed changes nothing")
                        .isEqualTo(manifest(2));
                assertThat(name).isEqualTo("manifest.json");
            } catch (CheckpointException e) {
                assertThat(e).hasMessageContaining(checkpoint.toString()).hasMessageContaining(name);
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(150);
    }

    @Test
    void a_refused_checkpoint_is_named_and_leaves_no_tensor_behind() throws IOException {
        checkpoints.save(manifest(1), state(1), store);
        Path newest = checkpoints.save(manifest(2), state(2), store);
        long held = store.bytesHeld();
        byte[] bytes = Files.readAllBytes(newest.resolve("learner.safetensors"));
        bytes[bytes.length - 1] ^= 1;
        Files.write(newest.resolve("learner.safetensors"), bytes);

        Checkpoints.Loaded loaded = checkpoints.loadNewest(store).orElseThrow();

        assertThat(loaded.manifest().step()).isEqualTo(1);
        assertThat(loaded.refused())
                .singleElement()
                .asString()
                .contains(newest.toString())
                .contains("SHA-256 of learner.safetensors");
        loaded.state().tensors().forEach(store::release);
        assertThat(store.bytesHeld()).isEqualTo(held);
    }

    @ParameterizedTest
    @ValueSource(strings = {"learner.safetensors", "manifest.json"})
    void when_a_file_is_torn_or_gone_the_previous_checkpoint_is_used(String name) throws IOException {
        checkpoints.save(manifest(1), state(1), store);
        Path victim = checkpoints.save(manifest(2), state(2), store).resolve(name);
        try (FileChannel channel = FileChannel.open(victim, StandardOpenOption.WRITE)) {
            channel.truncate(channel.size() / 2);
        }
        assertThat(checkpoints.loadNewest(store).orElseThrow().manifest().step())
                .isEqualTo(1);
        Files.delete(victim);
        Checkpoints.Loaded loaded = checkpoints.loadNewest(store).orElseThrow();
        assertThat(loaded.refused()).singleElement().asString().contains("it has no " + name);
    }

    @Test
    void when_none_is_whole_the_run_does_not_silently_start_over() throws IOException {
        Files.delete(checkpoints.save(manifest(1), state(1), store).resolve("manifest.json"));
        assertThatThrownBy(() -> checkpoints.loadNewest(store))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("no whole checkpoint")
                .hasMessageContaining("step-000001");
    }

    @Test
    void a_run_that_has_a_ledger_goes_on_from_the_one_before_and_from_its_first_step_if_there_is_none()
            throws IOException {
        checkpoints.save(manifest(1), state(1), store);
        Files.delete(checkpoints.save(manifest(2), state(2), store).resolve("manifest.json"));
        assertThat(checkpoints.recover(store).orElseThrow().manifest().step()).isEqualTo(1);
        assertThat(checkpoints.list()).hasSize(1);
        assertThat(directory.resolve("checkpoints/step-000002.torn")).isDirectory();

        Files.delete(checkpoints.list().getFirst().resolve("learner.safetensors"));
        assertThat(checkpoints.recover(store)).isEmpty();
        assertThat(checkpoints.list()).isEmpty();
    }

    @Test
    void what_an_interrupted_save_left_is_not_a_checkpoint_and_is_pruned() throws IOException {
        Path whole = checkpoints.save(manifest(1), state(1), store);
        Path partial = directory.resolve("checkpoints/step-000002.partial");
        Files.createDirectory(partial);
        Files.write(partial.resolve("learner.safetensors"), new byte[10]);

        assertThat(checkpoints.list()).containsExactly(whole);
        assertThat(checkpoints.prune(3, OptionalInt.empty())).containsExactly(partial);
        assertThat(partial).doesNotExist();
    }

    @Test
    void saving_the_same_step_again_replaces_it() throws IOException {
        checkpoints.save(manifest(3), state(3), store);
        RunState other = state(3, 99);
        checkpoints.save(manifest(3), other, store);
        Checkpoints.Loaded loaded = checkpoints.loadNewest(store).orElseThrow();
        assertThat(RunDigests.of(store, loaded.state())).isEqualTo(RunDigests.of(store, other));
        assertThat(checkpoints.list()).hasSize(1);
    }

    @Test
    void pruning_keeps_the_newest_and_the_best() throws IOException {
        for (int step = 1; step <= 6; step++) {
            RunState state = state(step);
            checkpoints.save(manifest(step), state, store);
            state.tensors().forEach(store::release);
        }
        checkpoints.prune(2, OptionalInt.of(3));
        assertThat(checkpoints.list())
                .extracting(path -> path.getFileName().toString())
                .containsExactly("step-000006", "step-000005", "step-000003");
        assertThatThrownBy(() -> checkpoints.prune(0, OptionalInt.empty()))
                .hasMessageContaining("checkpoints.keep-last=0");
    }

    @Test
    void when_the_store_is_full_nothing_stays_behind() throws IOException {
        checkpoints.save(manifest(1), state(1), store);
        try (OffHeapTensorStore small = new OffHeapTensorStore("small", 3L * 4 * PARAMETERS)) {
            assertThatThrownBy(() -> checkpoints.loadNewest(small))
                    .isInstanceOf(darkroom.tensors.TensorStoreFullException.class);
            assertThat(small.bytesHeld()).isZero();
        }
    }

    @Test
    void digests_tell_shapes_and_single_bits_apart() {
        TensorRef flat = tensor(5, List.of(10));
        TensorRef square = tensor(5, List.of(2, 5));
        TensorRef other = tensor(6, List.of(10));
        assertThat(TensorDigests.of(store, List.of(flat)))
                .isEqualTo(TensorDigests.of(store, List.of(tensor(5, List.of(10)))))
                .isNotEqualTo(TensorDigests.of(store, List.of(square)))
                .isNotEqualTo(TensorDigests.of(store, List.of(other)))
                .matches("[0-9a-f]{64}");
    }

    private static CheckpointManifest manifest(int step) {
        return new CheckpointManifest(
                "a run",
                step,
                4L * step,
                -42,
                "digest",
                new TreeMap<>(Map.of("kept", 12L, "dropped", 3L)),
                new TreeMap<>(step % 2 == 0 ? Map.of() : Map.of(20, .25, 40, -1e-3)));
    }

    private RunState state(int step) {
        return state(step, step);
    }

    /** Creates a state with a staleness of 1: it also has the version before the newest. */
    private RunState state(int step, int content) {
        List<Integer> shape = List.of(PARAMETERS);
        LearnerState learner = new LearnerState(
                4L * step,
                tensor(content, shape),
                tensor(content + 100, shape),
                tensor(content + 200, shape),
                tensor(content + 300, shape),
                tensor(content + 400, shape));
        PolicyRelease before = new PolicyRelease(
                new PolicyVersion(step - 1L), tensor(content + 500, shape), PromptBan.of(List.of("row \u00e9")));
        PolicyRelease newest =
                new PolicyRelease(new PolicyVersion(step), learner.old(), PromptBan.of(List.of("row \u00e9", "row 1")));
        return new RunState(step, learner, List.of(before, newest), "decisions " + step);
    }

    private TensorRef tensor(int seed, List<Integer> shape) {
        return store.put(ElementType.FLOAT32, shape, into -> {
            ByteBuffer buffer = into.asByteBuffer();
            java.util.Random random = new java.util.Random(seed);
            while (buffer.hasRemaining()) {
                buffer.putFloat(random.nextFloat());
            }
        });
    }
}
