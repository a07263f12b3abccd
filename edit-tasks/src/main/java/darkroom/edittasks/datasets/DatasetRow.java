package darkroom.edittasks.datasets;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.io.JsonStringEncoder;
import darkroom.config.ErrorReason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One row of a dataset in the Edit-R1 layout: a JSON object. {@code prompt} (the instruction), {@code image} (path of the
 * source) and {@code requirement} (text for the scorer, may be absent) are Edit-R1's own fields; {@code id}, {@code task_type},
 * {@code target}, {@code reference} and {@code weight} are Darkroom's and optional; null counts as absent. All other fields
 * are kept unchanged, character by character and in order. Paths are relative to the dataset's directory. Equal by fields;
 * immutable.
 */
public final class DatasetRow {
    public static final String PROMPT = "prompt";
    public static final String IMAGE = "image";
    public static final String REQUIREMENT = "requirement";
    public static final String ID = "id";
    public static final String TASK_TYPE = "task_type";
    public static final String TARGET = "target";
    public static final String REFERENCE = "reference";
    public static final String WEIGHT = "weight";

    /** The fields known to Darkroom. */
    static final Set<String> OWN = Set.of(PROMPT, IMAGE, REQUIREMENT, ID, TASK_TYPE, TARGET, REFERENCE, WEIGHT);

    /** Largest weight of a line. */
    public static final double WEIGHT_MAX = 1000;

    /** Longest id or task type, in UTF-16 units. */
    public static final int NAME_CHARS_MAX = 200;

    /** Deepest nesting of arrays and objects. */
    public static final int NESTING_MAX = 100;

    private static final int ID_DIGITS = 16;
    private static final int SHOWN_CHARS_MAX = 60;

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(NESTING_MAX).build())
            .build();

    private final Map<String, String> fields;
    private final String prompt;
    private final String image;
    private final String requirement;
    private final @Nullable String id;
    private final @Nullable String taskType;
    private final @Nullable String target;
    private final @Nullable String reference;
    private final double weight;

    private DatasetRow(Map<String, String> fields) throws DatasetFaultException {
        this.fields = fields;
        this.prompt = required(PROMPT);
        this.image = required(IMAGE);
        String given = text(REQUIREMENT);
        this.requirement = given == null ? "" : given;
        this.id = name(ID, true);
        this.taskType = name(TASK_TYPE, false);
        this.target = path(TARGET);
        this.reference = path(REFERENCE);
        this.weight = weight(fields.get(WEIGHT));
    }

    /** Creates a row of Edit-R1's own fields. @throws IllegalArgumentException if instruction or path is blank */
    public static DatasetRow of(String prompt, String image, String requirement) {
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put(PROMPT, quoted(prompt));
        fields.put(IMAGE, quoted(image));
        fields.put(REQUIREMENT, quoted(requirement));
        return checked(fields);
    }

    /** Parses a line of a metadata file. @throws DatasetFaultException naming the fault */
    public static DatasetRow parse(String line) throws DatasetFaultException {
        return new DatasetRow(readFields(line));
    }

    /** Returns the fields of a JSON object on one line, from name to JSON text, in order. */
    static Map<String, String> readFields(String line) throws DatasetFaultException {
        if (line.indexOf('\n') >= 0) {
            throw new DatasetFaultException(DatasetFault.NO_JSON, "the row is spread over several lines");
        }
        Map<String, String> fields = new LinkedHashMap<>();
        try (JsonParser json = JSON.createParser(line)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new DatasetFaultException(
                        DatasetFault.NO_OBJECT, "the line is no JSON object but " + shown(line.strip()));
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                JsonToken value = json.nextToken();
                int from = (int) json.currentTokenLocation().getCharOffset();
                if (value.isStructStart()) {
                    json.skipChildren();
                } else {
                    json.finishToken();
                }
                fields.put(
                        name, line.substring(from, (int) json.currentLocation().getCharOffset()));
                if (!encodes(name)) {
                    throw new DatasetFaultException(
                            DatasetFault.WRONG_TYPE, "the name of a field holds half of a surrogate pair");
                }
            }
            if (json.nextToken() != null) {
                throw new DatasetFaultException(DatasetFault.NO_JSON, "the line continues after its JSON object");
            }
        } catch (JsonProcessingException e) {
            String detail = ErrorReason.of(e)
                    .replaceFirst(" \\(start marker at \\[Source: .*?\\]\\)", "") // the parser does not show its source
                    .lines()
                    .findFirst()
                    .orElse("");
            throw new DatasetFaultException(
                    DatasetFault.NO_JSON,
                    "the line is no JSON: " + detail
                            + (e.getLocation() == null
                                    ? ""
                                    : " at column " + e.getLocation().getColumnNr()),
                    e);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return fields;
    }

    public String prompt() {
        return prompt;
    }

    /** Returns the path of the source picture. */
    public String image() {
        return image;
    }

    /** Returns the requirement that the scorer checks; empty if the row has none. */
    public String requirement() {
        return requirement;
    }

    public @Nullable String id() {
        return id;
    }

    /** Returns any name, not only those of {@link TaskType}. */
    public @Nullable String taskType() {
        return taskType;
    }

    /** Returns the path of the exact result. */
    public @Nullable String target() {
        return target;
    }

    /** Returns the path of the second input picture. */
    public @Nullable String reference() {
        return reference;
    }

    /** Returns the relative frequency of the row in training: above 0, at most {@link #WEIGHT_MAX}; 1 if the row has none. */
    public double weight() {
        return weight;
    }

    /** Returns all fields in order, from name to JSON text. */
    public Map<String, String> fields() {
        return java.util.Collections.unmodifiableMap(fields);
    }

    /** Returns the id, else one derived from the row's content: rows of equal fields have equal ones. */
    public String identity() {
        return id != null ? id : contentDigest();
    }

    /** Digest of all fields: equal for rows of equal fields. */
    String contentDigest() {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(line().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest).substring(0, ID_DIGITS);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns this row with a text in field {@code name}: in its place if the field exists, else after all others. */
    public DatasetRow with(String name, String text) {
        return withJson(name, quoted(text));
    }

    /**
     * Returns this row with a JSON value in field {@code name}.
     *
     * @throws IllegalArgumentException if {@code json} is not a JSON value on one line, or not valid for the field
     */
    public DatasetRow withJson(String name, String json) {
        Map<String, String> changed = new LinkedHashMap<>(fields);
        changed.put(name, json);
        DatasetRow row;
        try {
            row = parse(line(changed));
        } catch (DatasetFaultException e) {
            throw new IllegalArgumentException(e.reason(), e);
        }
        if (!row.fields.equals(changed)) {
            throw new IllegalArgumentException(
                    name + "=" + shown(json) + " is not one JSON value without space around it");
        }
        return row;
    }

    /** Returns the row as a line of a metadata file, without its end. */
    public String line() {
        return line(fields);
    }

    private static String line(Map<String, String> fields) {
        return fields.entrySet().stream()
                .map(field -> quoted(field.getKey()) + ": " + field.getValue())
                .collect(Collectors.joining(", ", "{", "}"));
    }

    private static DatasetRow checked(Map<String, String> fields) {
        try {
            return new DatasetRow(fields);
        } catch (DatasetFaultException e) {
            throw new IllegalArgumentException(e.reason(), e);
        }
    }

    private String required(String field) throws DatasetFaultException {
        String text = text(field);
        if (text == null) {
            throw new DatasetFaultException(
                    DatasetFault.MISSING_FIELD, "field " + field + " is missing; it is a text that is not blank");
        }
        if (text.isBlank()) {
            throw wrong(field, "a text that is not blank");
        }
        return text;
    }

    private @Nullable String path(String field) throws DatasetFaultException {
        String text = text(field);
        if (text != null && text.isBlank()) {
            throw wrong(field, "the path of a picture");
        }
        return text;
    }

    private @Nullable String name(String field, boolean number) throws DatasetFaultException {
        String allowed = "a text of 1 to " + NAME_CHARS_MAX + " characters without control characters"
                + (number ? ", or an integer" : "");
        String json = fields.get(field);
        String text = number && json != null && json.matches("-?[0-9]+") ? json : text(field, allowed);
        if (text != null
                && (text.isBlank()
                        || text.length() > NAME_CHARS_MAX
                        || text.chars().anyMatch(Character::isISOControl))) {
            throw wrong(field, allowed);
        }
        return text;
    }

    private double weight(@Nullable String json) throws DatasetFaultException {
        if (json == null || json.equals("null")) {
            return 1;
        }
        double value;
        try {
            value = Double.parseDouble(json); // strict JSON has read it; texts begin with a quotation mark
        } catch (NumberFormatException e) {
            value = 0;
        }
        if (!(value > 0 && value <= WEIGHT_MAX)) {
            throw wrong(WEIGHT, "a number above 0, at most " + (int) WEIGHT_MAX);
        }
        return value;
    }

    private @Nullable String text(String field) throws DatasetFaultException {
        return text(field, "a text");
    }

    private @Nullable String text(String field, String allowed) throws DatasetFaultException {
        String json = fields.get(field);
        if (json == null || json.equals("null")) {
            return null;
        }
        if (json.charAt(0) != '"') {
            throw wrong(field, allowed);
        }
        try (JsonParser parser = JSON.createParser(json)) {
            parser.nextToken();
            String text = parser.getText();
            if (!encodes(text)) {
                throw wrong(field, allowed + ": it holds half of a surrogate pair");
            }
            return text;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private DatasetFaultException wrong(String field, String allowed) {
        return new DatasetFaultException(
                DatasetFault.WRONG_TYPE, field + "=" + shown(String.valueOf(fields.get(field))) + " is not " + allowed);
    }

    private static boolean encodes(String text) {
        return StandardCharsets.UTF_8.newEncoder().canEncode(text);
    }

    static String shown(String text) {
        return text.length() <= SHOWN_CHARS_MAX ? text : text.substring(0, SHOWN_CHARS_MAX) + "...";
    }

    private static String quoted(String text) {
        return '"' + String.valueOf(JsonStringEncoder.getInstance().quoteAsString(text)) + '"';
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof DatasetRow that
                && new ArrayList<>(fields.entrySet()).equals(new ArrayList<>(that.fields.entrySet()));
    }

    @Override
    public int hashCode() {
        return List.copyOf(fields.entrySet()).hashCode();
    }

    @Override
    public String toString() {
        return line();
    }
}
