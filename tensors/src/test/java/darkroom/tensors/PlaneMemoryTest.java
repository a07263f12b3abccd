package darkroom.tensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.tensors.PlaneMemory.Place;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the location of buffers, by available room. */
class PlaneMemoryTest {
    private static final Path SHARED = Path.of("/shared");
    private static final Path DISK = Path.of("/disk");
    private static final long MEBIBYTE = 1 << 20;

    private static PlaneMemory chosen(long shared, long disk) {
        return PlaneMemory.chosen(List.of(place(SHARED, shared), place(DISK, disk)));
    }

    private static Place place(Path path, long mebibytes) {
        return new Place(path, mebibytes * MEBIBYTE, "");
    }

    @Test
    void a_driver_is_in_shared_memory_where_that_has_room_and_nothing_is_said() {
        PlaneMemory memory = chosen(256, 10_000);
        assertThat(memory.parent()).isEqualTo(SHARED);
        assertThat(memory.shortage()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 8, 64, 255})
    void a_driver_is_on_the_disk_where_shared_memory_is_short_and_the_remedy_is_said_once(long mebibytes) {
        PlaneMemory memory = chosen(mebibytes, 10_000);
        assertThat(memory.parent()).isEqualTo(DISK);
        assertThat(memory.shortage().orElseThrow())
                .contains("/shared has " + mebibytes + " MiB free", "256 MiB", "/disk", "--shm-size=1g");
    }

    @Test
    void shared_memory_that_is_not_there_is_named() {
        PlaneMemory memory = PlaneMemory.chosen(List.of(new Place(SHARED, 0, "not writable"), place(DISK, 10_000)));
        assertThat(memory.parent()).isEqualTo(DISK);
        assertThat(memory.shortage().orElseThrow()).contains("/shared is not writable");
    }

    @ParameterizedTest
    @CsvSource({"64,0,/shared", "64,40,/shared", "40,64,/disk"})
    void of_two_places_that_are_short_the_larger_one_is_taken(long shared, long disk, Path taken) {
        assertThat(chosen(shared, disk).parent()).isEqualTo(taken);
    }

    @Test
    void without_room_anywhere_there_is_no_driver_and_both_places_and_the_remedy_are_named() {
        assertThatThrownBy(() -> chosen(8, 31))
                .isInstanceOf(PlaneUnavailableException.class)
                .hasMessageContaining("/shared has 8 MiB free, /disk has 31 MiB free")
                .hasMessageContaining("32 MiB")
                .hasMessageContaining("--shm-size=1g")
                .hasMessageContaining("-Djava.io.tmpdir");
    }

    /** Nine processes that all send to each other, each with its own log to all. */
    @ParameterizedTest
    @ValueSource(longs = {32, 48, 64, 128, 256, 1024, 100_000})
    void logs_of_the_longest_term_fit_the_room(long mebibytes) {
        TensorPlaneSettings settings = TensorPlaneSettings.defaults(1 << 20).within(mebibytes * MEBIBYTE);
        assertThat(10 * MEBIBYTE + 32L * 3 * Math.min(settings.termBytes(), 1 << 20))
                .isLessThanOrEqualTo(mebibytes * MEBIBYTE);
        assertThat(settings.chunkBytes()).isPositive().isLessThanOrEqualTo(settings.termBytes() / 16);
    }

    @Test
    void plenty_of_room_changes_nothing() {
        TensorPlaneSettings settings = TensorPlaneSettings.defaults(1 << 20);
        assertThat(settings.within(64L << 30)).isEqualTo(settings);
    }

    @Test
    void a_media_driver_that_finds_no_place_names_it_with_the_reason_and_no_class_of_a_program(
            @TempDir Path directory) {
        Path gone = directory.resolve("gone");
        PlaneMemory memory = PlaneMemory.chosen(List.of(new Place(gone, 10_000 * MEBIBYTE, "")));
        assertThatThrownBy(() -> PlaneDriver.launched(memory, TensorPlaneSettings.defaults(MEBIBYTE), _ -> {}))
                .isInstanceOf(PlaneUnavailableException.class)
                .hasMessageStartingWith("no media driver in " + gone + ": ")
                .hasMessageEndingWith("no such file or directory")
                .hasMessageNotContaining("Exception");
    }
}
