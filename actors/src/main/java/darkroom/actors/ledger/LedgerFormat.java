package darkroom.actors.ledger;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.config.ErrorReason;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/**
 * The text format of a {@link LedgerEvent}: one JSON object in one line, first {@code schema}, then {@code event}, then the
 * components of the record. Designed to be readable in ten years, by people and by other programs.
 *
 * <ul>
 *   <li><b>LF-1</b> An event that is written and read is equal; equal events have equal text.
 *   <li><b>LF-2</b> Text that cannot be read completely is refused and quoted: an unknown schema, an extra field, a missing
 *       field.
 * </ul>
 */
public final class LedgerFormat {
    /**
     * Version of the format. A change to the text of an event, or to its meaning, makes a new one; the build keeps samples
     * of every version and reads them all.
     */
    public static final int SCHEMA = 1;

    private static final String SCHEMA_FIELD = "schema";
    private static final String EVENT_FIELD = "event";
    private static final int SHOWN_CHARACTERS_MAX = 200;

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** The record class of each event name. */
    static final SequencedMap<String, Class<? extends LedgerEvent>> EVENTS = events();

    private static final Map<Class<?>, String> NAMES = new HashMap<>();

    static {
        EVENTS.forEach((name, type) -> NAMES.put(type, name));
    }

    private LedgerFormat() {}

    private static SequencedMap<String, Class<? extends LedgerEvent>> events() {
        SequencedMap<String, Class<? extends LedgerEvent>> events = new LinkedHashMap<>();
        events.put("run-opened", LedgerEvent.RunOpened.class);
        events.put("step-opened", LedgerEvent.StepOpened.class);
        events.put("group-generated", LedgerEvent.GroupGenerated.class);
        events.put("slot-scored", LedgerEvent.SlotScored.class);
        events.put("slot-unscored", LedgerEvent.SlotUnscored.class);
        events.put("group-lost", LedgerEvent.GroupLost.class);
        events.put("group-judged", LedgerEvent.GroupJudged.class);
        events.put("step-committed", LedgerEvent.StepCommitted.class);
        events.put("checkpoint-written", LedgerEvent.CheckpointWritten.class);
        return events;
    }

    /** Returns the name of an event in the text, for instance {@code slot-scored}. */
    public static String name(LedgerEvent event) {
        return String.valueOf(NAMES.get(event.getClass()));
    }

    /** Returns one line, without its end. */
    public static String write(LedgerEvent event) {
        ObjectNode line = JSON.createObjectNode().put(SCHEMA_FIELD, SCHEMA).put(EVENT_FIELD, name(event));
        line.setAll((ObjectNode) JSON.valueToTree(event));
        return line.toString();
    }

    /**
     * Reads one line.
     *
     * @throws LedgerException if it is not an event of a schema that this build knows (LF-2)
     */
    public static LedgerEvent read(String line) {
        try {
            if (!(JSON.readTree(line) instanceof ObjectNode object)) {
                throw new LedgerException("it is not a JSON object: " + shown(line));
            }
            JsonNode schema = object.path(SCHEMA_FIELD);
            if (!schema.isInt() || schema.intValue() != SCHEMA) {
                throw new LedgerException("schema=%s, this build reads %d: %s".formatted(schema, SCHEMA, shown(line)));
            }
            Class<? extends LedgerEvent> type =
                    EVENTS.get(object.path(EVENT_FIELD).asText());
            if (type == null) {
                throw new LedgerException("event=%s, this build knows %s: %s"
                        .formatted(object.path(EVENT_FIELD), EVENTS.keySet(), shown(line)));
            }
            object.remove(SCHEMA_FIELD);
            object.remove(EVENT_FIELD);
            return JSON.treeToValue(object, type);
        } catch (JsonProcessingException e) {
            throw new LedgerException(ErrorReason.of(e) + ": " + shown(line), e);
        }
    }

    /** Writes one line per event. */
    static String write(List<LedgerEvent> events) {
        return events.stream().map(LedgerFormat::write).collect(Collectors.joining("\n"));
    }

    /**
     * Reads the events of some lines, in their order.
     *
     * @throws LedgerException if a line is not an event
     */
    public static List<LedgerEvent> readLines(String text) {
        return text.lines().map(LedgerFormat::read).toList();
    }

    /** Writes the number of events ever written in the first line, and the kept events in the others. */
    static String write(LedgerSnapshot snapshot) {
        StringBuilder text = new StringBuilder().append(snapshot.written());
        snapshot.events().forEach(event -> text.append('\n').append(write(event)));
        return text.toString();
    }

    /**
     * Reads a snapshot.
     *
     * @throws LedgerException if {@link #write} did not write it
     */
    public static LedgerSnapshot readSnapshot(String text) {
        List<String> lines = text.lines().toList();
        if (lines.isEmpty() || !lines.getFirst().matches("\\d{1,18}")) {
            throw new LedgerException("it is not a ledger snapshot: " + shown(text));
        }
        return LedgerSnapshot.of(
                Long.parseLong(lines.getFirst()),
                lines.subList(1, lines.size()).stream().map(LedgerFormat::read).toList());
    }

    private static String shown(String line) {
        return line.length() <= SHOWN_CHARACTERS_MAX ? line : line.substring(0, SHOWN_CHARACTERS_MAX) + "...";
    }
}
