package darkroom.edittasks.datasets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.edittasks.pictures.FileFault;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** F6 and U2: the target of a user's name, and why it cannot be written. */
final class OutputFileTest {
    @TempDir
    Path directory = Path.of("unset");

    @Test
    void a_file_appears_whole_and_nothing_else_does() throws IOException {
        Path file = directory.resolve("a/b/out.txt");
        OutputFile.write(file, "one");
        OutputFile.write(file, "two");
        assertThat(file).hasContent("two");
        assertThat(file.getParent()).isDirectoryNotContaining(other -> !other.equals(file));
    }

    @Test
    void until_it_is_finished_the_name_shows_what_was_there() throws IOException {
        Path file = Files.writeString(directory.resolve("out.txt"), "before");
        OutputFile output = OutputFile.at(file);
        Files.writeString(output.place(), "after");
        assertThat(file).hasContent("before");
        output.finish();
        assertThat(file).hasContent("after");
    }

    @Test
    void links_stay_links_and_what_they_lead_to_is_written() throws IOException {
        Path real = Files.writeString(directory.resolve("real.txt"), "before");
        Path near = Files.createSymbolicLink(directory.resolve("near"), Path.of("real.txt"));
        Path far = Files.createSymbolicLink(directory.resolve("far"), near);
        OutputFile.write(far, "after");
        assertThat(real).hasContent("after");
        assertThat(far).isSymbolicLink();
        assertThat(near).isSymbolicLink();
        Path dangling = Files.createSymbolicLink(directory.resolve("dangling"), Path.of("new/file.txt"));
        OutputFile.write(dangling, "new");
        assertThat(directory.resolve("new/file.txt")).hasContent("new");
        Path circle = directory.resolve("circle");
        Files.createSymbolicLink(circle, circle);
        assertThatThrownBy(() -> OutputFile.write(circle, "")).isInstanceOf(IOException.class);
    }

    @Test
    void a_device_is_written_to_and_not_replaced() throws IOException {
        Path link = Files.createSymbolicLink(directory.resolve("null"), Path.of("/dev/null"));
        OutputFile.write(link, "away");
        OutputFile.write(Path.of("/dev/null"), "away");
        assertThat(link).isSymbolicLink();
        assertThat(Files.isRegularFile(Path.of("/dev/null"))).isFalse();
        assertThatThrownBy(() -> OutputFile.write(Path.of("/dev/full"), "away"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("No space left");
    }

    @Test
    void a_directory_is_refused_with_its_name() {
        assertThatThrownBy(() -> OutputFile.write(directory, "")).hasMessage(directory + " is a directory");
    }

    @Test
    void every_failure_has_a_reason_in_words() {
        assertThat(FileFault.reason(new NoSuchFileException("rd"))).isEqualTo("rd: no such file or directory");
        assertThat(FileFault.reason(new AccessDeniedException("rd"), Path.of("rd")))
                .isEqualTo("permission denied");
        assertThat(FileFault.reason(new FileSystemException("rd", null, "No space left on device")))
                .isEqualTo("rd: No space left on device");
        assertThat(FileFault.reason(new UncheckedIOException(new IOException("\n\nof three lines\n"))))
                .isEqualTo("of three lines");
        assertThat(FileFault.reason(new IOException())).isNotBlank().doesNotContain("null");
    }
}
