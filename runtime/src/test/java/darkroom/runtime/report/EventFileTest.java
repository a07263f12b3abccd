package darkroom.runtime.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import darkroom.actors.events.RunEvent;
import darkroom.runtime.base.Evaluations;
import darkroom.runtime.base.ManualClock;
import darkroom.runtime.base.Measurement;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EventFileTest {
    private final ManualClock clock = ManualClock.at("2026-11-24T12:00:00.250Z");

    private final Path directory;

    EventFileTest(@TempDir Path directory) {
        this.directory = directory;
    }

    @Test
    void a_file_is_named_as_tensorboard_looks_for_and_begins_with_its_version() throws IOException {
        try (EventFile file = EventFile.create(directory.resolve("tensorboard"), clock, 0)) {
            assertThat(file.path().getFileName().toString())
                    .matches("events\\.out\\.tfevents\\.1795521600\\.[A-Za-z0-9-]+\\.0");
            assertThat(read(file.path())).singleElement().satisfies(event -> {
                assertThat(event.fileVersion).isEqualTo("brain.Event:2");
                assertThat(event.wallTime).isEqualTo(1795521600.25);
            });
        }
    }

    /** The expected value is computed independently, with a CRC-32C written out bit by bit. */
    @Test
    void the_first_record_of_the_epoch_is_known_byte_for_byte() throws IOException {
        try (EventFile file = EventFile.create(directory, ManualClock.at("1970-01-01T00:00:00Z"), 0)) {
            assertThat(HexFormat.of().formatHex(Files.readAllBytes(file.path())))
                    .isEqualTo("1800000000000000a37f4b22"
                            + "0900000000000000001a0d627261696e2e4576656e743a32"
                            + "eedf28a3");
        }
    }

    @Test
    void every_step_can_be_read_while_the_file_is_open() throws IOException {
        try (EventFile file = EventFile.create(directory, clock, 0)) {
            clock.passSeconds(3);
            file.write(1, Map.of("reward/mean", .25));
            assertThat(read(file.path()).getLast()).satisfies(event -> {
                assertThat(event.step).isEqualTo(1);
                assertThat(event.wallTime).isEqualTo(1795521603.25);
                assertThat(event.scalars).containsExactly(Map.entry("reward/mean", .25f));
            });
        }
    }

    @Test
    void a_committed_step_has_its_figures_at_the_number_of_commits() throws IOException {
        try (TensorBoardRecorder recorder = TensorBoardRecorder.in(directory, clock, 0, this::measured)) {
            recorder.heard(ScriptedEvents.committed(0, .4, 3));
        }
        Event event = read(onlyFile()).getLast();
        assertThat(event.step).isEqualTo(1);
        assertThat(event.scalars)
                .containsEntry("reward/mean", .4f)
                .containsEntry("reward/std", .15f)
                .containsEntry("groups/kept", 3f)
                .containsEntry("groups/dropped", 1f)
                .containsEntry("groups/abandoned", 0f)
                .containsEntry("images/training-samples", 36f)
                .containsEntry("images/unscored", 1f)
                .containsEntry("loss/gradient_norm", 1.5f)
                .containsEntry("speed/images_per_second", 24f)
                .containsEntry("seconds/learning", 1f);
        assertThat(event.scalars.get("loss/policy")).isCloseTo(.4f, within(1e-6f));
        assertThat(event.scalars.get("loss/kl")).isCloseTo(.02f, within(1e-6f));
    }

    @Test
    void a_step_that_taught_nothing_has_no_loss() throws IOException {
        try (TensorBoardRecorder recorder = TensorBoardRecorder.in(directory, clock, 0, this::measured)) {
            recorder.heard(ScriptedEvents.committed(0, .4, 0, List.of()));
        }
        assertThat(read(onlyFile()).getLast().scalars)
                .containsKey("reward/mean")
                .doesNotContainKeys("loss/policy", "loss/kl", "loss/gradient_norm");
    }

    @Test
    void every_kind_of_evaluation_has_its_own_tags_at_the_step_where_it_belongs() throws IOException {
        try (TensorBoardRecorder recorder = TensorBoardRecorder.in(directory, clock, 0, this::measured)) {
            recorder.heard(ScriptedEvents.evaluated(Evaluations.HELD_OUT_BEFORE, 0));
            recorder.heard(ScriptedEvents.evaluated("run-validation-10", 10));
            recorder.heard(ScriptedEvents.evaluated(Evaluations.CLEAN_REFERENCE, 0));
            recorder.heard(ScriptedEvents.committed(11, .4, 3));
            recorder.heard(ScriptedEvents.evaluated(Evaluations.HELD_OUT_AFTER, 0));
        }
        List<Event> events = read(onlyFile());
        assertThat(events.get(1).step).isZero();
        assertThat(events.get(1).scalars)
                .containsEntry("held_out/ground_truth", .3f)
                .containsEntry("held_out/reward", .4f)
                .containsEntry("held_out/psnr_outside", 24f)
                .containsEntry("held_out/ground_truth/Remove", .25f);
        assertThat(events.get(2).step).isEqualTo(10);
        assertThat(events.get(2).scalars)
                .containsEntry("validation/ground_truth", .3f)
                .containsEntry("validation/unscored", 0f);
        assertThat(events.get(3).scalars).containsKey("clean_reference/reward");
        assertThat(events.getLast().step).isEqualTo(12);
        assertThat(events.getLast().scalars).containsKey("held_out/reward");
    }

    @Test
    void a_resumed_run_writes_a_further_file_that_goes_on_with_its_step() throws IOException {
        try (TensorBoardRecorder first = TensorBoardRecorder.in(directory, clock, 0, this::measured)) {
            first.heard(ScriptedEvents.committed(0, .4, 3));
            first.heard(ScriptedEvents.committed(1, .5, 3));
        }
        try (TensorBoardRecorder resumed = TensorBoardRecorder.in(directory, clock, 1, this::measured)) {
            resumed.heard(ScriptedEvents.committed(1, .5, 3));
        }
        List<Path> files = files();
        assertThat(files).hasSize(2);
        List<Event> events = read(files.get(1));
        assertThat(events.get(1).sessionStart).isTrue();
        assertThat(events.get(1).step).isEqualTo(2);
        assertThat(events.get(2).step).isEqualTo(2);
        assertThat(events.get(2).scalars).containsEntry("reward/mean", .5f);
    }

    private Measurement measured(RunEvent.Evaluated evaluated) {
        return ScriptedEvents.measurement(.4, .3);
    }

    private Path onlyFile() throws IOException {
        assertThat(files()).hasSize(1);
        return files().getFirst();
    }

    private List<Path> files() throws IOException {
        try (var files = Files.list(directory)) {
            return files.sorted().toList();
        }
    }

    private static final class Event {
        double wallTime;
        long step;
        String fileVersion = "";
        boolean sessionStart;
        final Map<String, Float> scalars = new LinkedHashMap<>();
    }

    private static List<Event> read(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        List<Event> events = new ArrayList<>();
        while (bytes.hasRemaining()) {
            byte[] length = new byte[8];
            bytes.get(length);
            assertThat(bytes.getInt()).as("checksum of the length").isEqualTo(masked(length));
            byte[] event = new byte
                    [Math.toIntExact(ByteBuffer.wrap(length)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .getLong())];
            bytes.get(event);
            assertThat(bytes.getInt()).as("checksum of the event").isEqualTo(masked(event));
            events.add(event(CodedInputStream.newInstance(event)));
        }
        return events;
    }

    private static int masked(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        long value = crc.getValue();
        return (int) (((value >>> 15) | (value << 17)) + 0xa282ead8L);
    }

    private static Event event(CodedInputStream in) throws IOException {
        Event event = new Event();
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (WireFormat.getTagFieldNumber(tag)) {
                case 1 -> event.wallTime = in.readDouble();
                case 2 -> event.step = in.readInt64();
                case 3 -> event.fileVersion = in.readString();
                case 5 -> summary(in.readBytes().newCodedInput(), event.scalars);
                case 7 -> {
                    CodedInputStream log = in.readBytes().newCodedInput();
                    assertThat(WireFormat.getTagFieldNumber(log.readTag())).isEqualTo(1);
                    event.sessionStart = log.readEnum() == 1;
                }
                default -> throw new AssertionError("unknown field of an event: " + tag);
            }
        }
        return event;
    }

    private static void summary(CodedInputStream in, Map<String, Float> scalars) throws IOException {
        while (in.readTag() != 0) {
            CodedInputStream value = in.readBytes().newCodedInput();
            assertThat(value.readTag()).isEqualTo(1 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED);
            String name = value.readString();
            assertThat(value.readTag()).isEqualTo(2 << 3 | WireFormat.WIRETYPE_FIXED32);
            scalars.put(name, value.readFloat());
            assertThat(value.isAtEnd()).isTrue();
        }
    }
}
