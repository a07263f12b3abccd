package darkroom.actors.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tests the text of a ledger. The samples of a schema are written once, with {@code -Ddarkroom.ledger.write-samples=true},
 * and never again.
 */
class LedgerFormatTest {
    private static final Path FOLDER = Path.of("src/test/resources/darkroom/actors/ledger");
    private static final String COMMAND =
            "mvn test -pl actors -am -Dtest=LedgerFormatTest -Dsurefire.failIfNoSpecifiedTests=false"
                    + " -Ddarkroom.ledger.write-samples=true";
    private static final String CHANGED =
            "the text of an event has changed, and LedgerFormat.SCHEMA has not. If that is meant, make it one more,"
                    + " keep reading the text of the schemas before it, and write samples: " + COMMAND;

    private static Path samples(int schema) {
        return FOLDER.resolve("schema-" + schema + ".jsonl");
    }

    /** LF-1: samples of every schema that ever existed. */
    @Test
    void stored_samples_of_every_schema_are_read_as_the_events_that_they_were() throws IOException {
        for (int schema = 1; schema <= LedgerFormat.SCHEMA; schema++) {
            List<LedgerEvent> read =
                    stored(schema).stream().map(LedgerFormat::read).toList();
            assertThat(read).as("schema %d: %s", schema, CHANGED).isEqualTo(LedgerSamples.EACH);
        }
    }

    @Test
    void events_are_written_as_they_are_stored() throws IOException {
        assertThat(LedgerSamples.EACH.stream().map(LedgerFormat::write))
                .as(CHANGED)
                .isEqualTo(stored(LedgerFormat.SCHEMA));
    }

    @Test
    void there_is_a_sample_of_every_event() {
        assertThat(LedgerSamples.EACH.stream().map(Object::getClass).distinct())
                .containsExactlyInAnyOrderElementsOf(LedgerFormat.EVENTS.values());
        assertThat(LedgerSamples.EACH.stream()
                        .filter(LedgerEvent.GroupJudged.class::isInstance)
                        .map(event -> ((LedgerEvent.GroupJudged) event).fate()))
                .containsExactlyInAnyOrder(LedgerEvent.Fate.values());
    }

    /** LF-1. */
    @Property
    void whatever_is_written_is_read_as_the_same_event_from_one_line(@ForAll("events") LedgerEvent event) {
        String line = LedgerFormat.write(event);
        assertThat(line).doesNotContain("\n", "\r");
        assertThat(LedgerFormat.read(line)).isEqualTo(event);
        assertThat(LedgerFormat.write(LedgerFormat.read(line))).isEqualTo(line);
    }

    /** LF-2: a line torn by a crash is not an event. */
    @Property
    void no_beginning_of_a_line_is_an_event(@ForAll("events") LedgerEvent event) {
        String line = LedgerFormat.write(event);
        for (int length : IntStream.range(0, line.length()).toArray()) {
            assertThatThrownBy(() -> LedgerFormat.read(line.substring(0, length)))
                    .isInstanceOf(LedgerException.class);
        }
    }

    /** LF-1, for snapshots. */
    @Property
    void a_snapshot_is_read_as_it_was_written(@ForAll("books") List<LedgerEvent> events) {
        LedgerSnapshot snapshot = LedgerSnapshot.empty();
        for (LedgerEvent event : events) {
            snapshot = snapshot.with(event);
        }
        LedgerSnapshot read = LedgerFormat.readSnapshot(LedgerFormat.write(snapshot));
        assertThat(read.events()).isEqualTo(snapshot.events());
        assertThat(read.written()).isEqualTo(events.size());
        assertThat(read.epoch()).isEqualTo(snapshot.epoch());
    }

    /** LF-2. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "7 | not a JSON object",
                "{} | schema=",
                "{\"schema\":2,\"event\":\"group-lost\",\"step\":1,\"group\":1,\"reason\":\"r\"} | schema=2",
                "{\"schema\":1,\"event\":\"group-found\",\"step\":1} | event=\"group-found\"",
                "{\"schema\":1,\"event\":\"group-lost\",\"step\":1,\"group\":1} | reason",
                "{\"schema\":1,\"event\":\"group-lost\",\"step\":1,\"group\":1,\"reason\":null} | reason",
                "{\"schema\":1,\"event\":\"group-lost\",\"step\":1,\"group\":1,\"reason\":\"r\",\"why\":1} | why",
                "{\"schema\":1,\"event\":\"group-lost\",\"step\":1,\"step\":1,\"group\":1,\"reason\":\"r\"} | step",
                "{\"schema\":1,\"event\":\"group-lost\",\"step\":1,\"group\":1,\"reason\":\"r\"} {} | "
            })
    void what_is_not_whole_is_refused_with_its_text(String line, String said) {
        assertThatThrownBy(() -> LedgerFormat.read(line))
                .isInstanceOf(LedgerException.class)
                .hasMessageContaining(said == null ? "" : said)
                .hasMessageContaining(line.substring(0, Math.min(20, line.length())));
    }

    @Provide
    Arbitrary<LedgerEvent> events() {
        return LedgerSamples.any();
    }

    @Provide
    Arbitrary<List<LedgerEvent>> books() {
        return LedgerSamples.any().list().ofMaxSize(30);
    }

    private static List<String> stored(int schema) throws IOException {
        Path file = samples(schema);
        if (!Files.exists(file) && Boolean.getBoolean("darkroom.ledger.write-samples")) {
            Files.createDirectories(FOLDER);
            Files.write(
                    file,
                    new ArrayList<>(
                            LedgerSamples.EACH.stream().map(LedgerFormat::write).toList()));
        }
        assertThat(file).as("schema %d has no samples yet: %s", schema, COMMAND).exists();
        return Files.readAllLines(file);
    }
}
