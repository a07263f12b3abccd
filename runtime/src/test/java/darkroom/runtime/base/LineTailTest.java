package darkroom.runtime.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LineTailTest {
    @TempDir
    Path directory = Path.of("unset");

    private Path file = Path.of("unset");
    private LineTail tail = new LineTail(file);

    @BeforeEach
    void begin() {
        file = directory.resolve("lines");
        tail = new LineTail(file);
    }

    private void append(String text) throws IOException {
        Files.writeString(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    @Test
    void a_look_shows_what_was_added_since_the_last_one() throws IOException {
        assertThat(tail.more()).isEmpty();
        append("one\ntwo\n");
        assertThat(tail.more()).containsExactly("one", "two");
        assertThat(tail.more()).isEmpty();
        append("thr");
        assertThat(tail.more()).as("half a line").isEmpty();
        append("ee\n\u00e9\n");
        assertThat(tail.more()).containsExactly("three", "\u00e9");
        assertThat(tail.count()).isEqualTo(4);
    }

    @Test
    void a_file_that_was_replaced_or_cut_is_read_from_its_beginning() throws IOException {
        append("one\ntwo\nthree\n");
        tail.more();
        Path other = Files.writeString(directory.resolve("other"), "one\ntwo\n");
        Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
        assertThat(tail.more()).containsExactly("one", "two");
        assertThat(tail.count()).isEqualTo(2);
        Files.writeString(file, "a\n");
        assertThat(tail.more()).containsExactly("a");
        assertThat(tail.count()).isEqualTo(1);
    }
}
