package darkroom.tensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.agrona.IoUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the detection of living processes, whatever their process numbers. */
class AliveFileTest {
    private static final String PREFIX = "test-";
    private static final int ROUNDS = 1500;

    /** Sweeps a directory until it is removed, in another process than the one that creates directories there. */
    static final class Sweeper {
        public static void main(String[] arguments) throws IOException {
            Path directory = Path.of(arguments[0]);
            Files.createFile(directory.resolve("sweeping"));
            while (Files.exists(directory.resolve("go-on"))) {
                LockedDirectory.sweep(directory, PREFIX);
            }
        }
    }

    @Test
    void what_is_being_made_is_never_taken_for_abandoned_by_another_process(@TempDir Path parent) throws Exception {
        Files.createFile(parent.resolve("go-on"));
        Process sweeper = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Sweeper.class.getName(),
                        parent.toString())
                .inheritIO()
                .start();
        try {
            PlaneFleet.until("it sweeps", () -> Files.exists(parent.resolve("sweeping")) || !sweeper.isAlive());
            for (int round = 0; round < ROUNDS; round++) {
                try (LockedDirectory directory = LockedDirectory.create(parent, PREFIX)) {
                    Files.createFile(directory.path().resolve("index"));
                    assertThat(directory.path().resolve("index")).exists();
                }
            }
            assertThat(sweeper.isAlive()).isTrue();
        } finally {
            Files.delete(parent.resolve("go-on"));
            assertThat(sweeper.waitFor(20, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void a_file_is_alive_until_it_is_closed(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("a.lock");
        AliveFile alive = AliveFile.create(file);
        assertThat(AliveFile.isAlive(file)).isTrue();
        assertThatThrownBy(() -> AliveFile.create(file)).isInstanceOf(FileAlreadyExistsException.class);
        alive.close();
        assertThat(AliveFile.isAlive(file)).isFalse();
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void a_file_that_nobody_has_locked_is_abandoned_and_removed_after_what_belongs_to_it(@TempDir Path parent)
            throws IOException {
        Path left = Files.createDirectory(parent.resolve(PREFIX + "1-0"));
        Files.createFile(left.resolve("index"));
        Path lock = Files.createFile(parent.resolve(PREFIX + "1-0.lock"));
        Path other = Files.createFile(parent.resolve("other.lock"));
        assertThat(AliveFile.isAlive(lock)).isFalse();
        LockedDirectory living = LockedDirectory.create(parent, PREFIX);
        LockedDirectory.sweep(parent, PREFIX);
        assertThat(left).doesNotExist();
        assertThat(lock).doesNotExist();
        assertThat(other).exists();
        assertThat(living.path()).exists();
        living.close();
    }

    @Test
    void what_cannot_be_removed_does_not_keep_the_rest(@TempDir Path parent) throws IOException {
        Files.createDirectory(parent.resolve(PREFIX + "0-0.lock")); // cannot be opened for writing
        Path lock = Files.createFile(parent.resolve(PREFIX + "1-0.lock"));
        LockedDirectory.sweep(parent, PREFIX);
        assertThat(lock).doesNotExist();
        IoUtil.delete(parent.resolve(PREFIX + "0-0.lock").toFile(), false);
    }
}
