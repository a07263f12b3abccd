package darkroom.actors.wire;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.device.WireMessage;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/**
 * Tests that the messages of this build are those of its wire version. The files of a version are written once, with
 * {@code -Ddarkroom.wire.write-samples=true}, and never again.
 */
class WireVersionTest {
    private static final Path FOLDER = Path.of("src/test/resources/darkroom/actors/wire/v" + WireVersion.CURRENT);
    private static final Path SAMPLES = FOLDER.resolve("samples.txt");
    private static final Path LAYOUT = FOLDER.resolve("layout.txt");
    private static final String COMMAND =
            "mvn test -pl actors -am -Dtest=WireVersionTest -Dsurefire.failIfNoSpecifiedTests=false"
                    + " -Ddarkroom.wire.write-samples=true";
    private static final String CHANGED =
            "messages between nodes have changed, and the wire version has not. If that is meant,"
                    + " make WireVersion.CURRENT one more and write the samples of the new version: " + COMMAND;

    private static final WireBench BENCH = new WireBench();
    private static final SequencedMap<String, WireMessage> MESSAGES = WireSamples.all(BENCH.refs());

    @AfterAll
    static void close() {
        BENCH.close();
    }

    @Test
    void stored_samples_are_read_back_as_the_messages_that_they_were() throws IOException {
        Map<String, String> stored = stored();
        MESSAGES.forEach((name, message) -> assertThat(
                        BENCH.serializer().fromBinary(HexFormat.of().parseHex(stored.getOrDefault(name, ""))))
                .as("%s: %s", name, CHANGED)
                .isEqualTo(message));
    }

    @Test
    void messages_are_written_as_they_are_stored() throws IOException {
        assertThat(changes(stored(), today())).as(CHANGED).isEmpty();
    }

    @Test
    void a_byte_that_changed_and_a_sample_without_a_message_are_noticed() {
        assertThat(changes(Map.of("a", "01", "b", "02", "c", "03"), Map.of("a", "01", "b", "12", "d", "04")))
                .containsExactlyInAnyOrder("b: 12, stored 02", "c: null, stored 03", "d: 04, stored null");
    }

    @Test
    void records_and_enums_are_declared_as_they_are_stored() throws IOException {
        stored();
        assertThat(layout()).as(CHANGED).isEqualTo(Files.readAllLines(LAYOUT));
    }

    @Test
    void there_is_a_sample_of_everything_that_a_message_can_hold() {
        Set<Object> seen = new HashSet<>();
        MESSAGES.values().forEach(message -> look(message, seen));
        Set<Object> all = new HashSet<>();
        for (Class<?> type : WireClasses.BY_ID.values()) {
            all.addAll(type.isEnum() ? Set.of(type.getEnumConstants()) : Set.of(type));
            for (RecordComponent component : components(type)) {
                if (component.getAnnotatedType().isAnnotationPresent(Nullable.class)
                        || component.getType() == Optional.class) {
                    all.add(component + " absent");
                    all.add(component + " there");
                }
            }
        }
        assertThat(all).hasSizeGreaterThan(WireClasses.BY_ID.size());
        assertThat(seen).containsAll(all);
    }

    @Test
    void settings_say_which_version_and_build_a_node_is() {
        assertThat(WireVersion.settings("0.1.0-x").getInt(WireVersion.KEY)).isEqualTo(WireVersion.CURRENT);
        assertThat(WireVersion.settings("0.1.0-x").getString(WireVersion.BUILD_KEY))
                .isEqualTo("0.1.0-x");
    }

    private static void look(@Nullable Object value, Set<Object> seen) {
        switch (value) {
            case Iterable<?> many -> many.forEach(one -> look(one, seen));
            case Optional<?> optional -> optional.ifPresent(one -> look(one, seen));
            case Enum<?> constant -> seen.add(constant);
            case Record record -> {
                seen.add(record.getClass());
                for (RecordComponent component : components(record.getClass())) {
                    Object held = held(component, record);
                    seen.add(component + (held == null || held.equals(Optional.empty()) ? " absent" : " there"));
                    look(held, seen);
                }
            }
            case null, default -> {}
        }
    }

    private static RecordComponent[] components(Class<?> type) {
        return type.isRecord() ? type.getRecordComponents() : new RecordComponent[0];
    }

    private static @Nullable Object held(RecordComponent component, Record record) {
        try {
            return component.getAccessor().invoke(record);
        } catch (ReflectiveOperationException wrong) {
            throw new LinkageError(component.toString(), wrong);
        }
    }

    private static Map<String, String> today() {
        Map<String, String> today = new LinkedHashMap<>();
        MESSAGES.forEach((name, message) ->
                today.put(name, HexFormat.of().formatHex(BENCH.serializer().toBinary(message))));
        return today;
    }

    private static List<String> changes(Map<String, String> stored, Map<String, String> today) {
        Set<String> names = new HashSet<>(stored.keySet());
        names.addAll(today.keySet());
        List<String> changes = new ArrayList<>();
        for (String name : names) {
            String was = stored.get(name);
            String is = today.get(name);
            if (was == null || !was.equals(is)) {
                changes.add("%s: %s, stored %s".formatted(name, is, was));
            }
        }
        return changes;
    }

    /** Returns one line per class: its id, its name, and its components or constants. */
    private static List<String> layout() {
        List<String> lines = new ArrayList<>();
        new TreeMap<>(WireClasses.BY_ID).forEach((id, type) -> {
            Stream<String> parts = type.isEnum()
                    ? Stream.of(type.getEnumConstants()).map(Object::toString)
                    : Stream.of(components(type)).map(WireVersionTest::declaration);
            lines.add("%d %s(%s)".formatted(id, plain(type), parts.collect(joining(", "))));
        });
        return lines;
    }

    private static String declaration(RecordComponent component) {
        boolean nullable = component.getAnnotatedType().isAnnotationPresent(Nullable.class);
        return (nullable ? "@Nullable " : "") + plain(component.getGenericType()) + " " + component.getName();
    }

    /** Returns a type name without packages. */
    private static String plain(Type type) {
        return type.getTypeName().replaceAll("\\b[a-z]+\\.", "").replace('$', '.');
    }

    private static Map<String, String> stored() throws IOException {
        if (!Files.exists(FOLDER) && Boolean.getBoolean("darkroom.wire.write-samples")) {
            Files.createDirectories(FOLDER);
            Files.write(
                    SAMPLES,
                    today().entrySet().stream()
                            .map(sample -> sample.getKey() + " = " + sample.getValue())
                            .toList());
            Files.write(LAYOUT, layout());
        }
        assertThat(SAMPLES)
                .as("wire version %d has no samples yet: %s", WireVersion.CURRENT, COMMAND)
                .exists();
        Map<String, String> stored = new LinkedHashMap<>();
        for (String line : Files.readAllLines(SAMPLES)) {
            String[] sample = line.split(" = ", 2);
            stored.put(sample[0], sample[1]);
        }
        return stored;
    }
}
