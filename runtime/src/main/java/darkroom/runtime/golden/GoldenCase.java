package darkroom.runtime.golden;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/**
 * One JSON object of a test vector file, read strictly: a field that is missing, has another type, or is never read is
 * an error.
 */
final class GoldenCase {
    /** Signals that an object does not match the format. */
    static final class FormatException extends RuntimeException {
        private static final long serialVersionUID = 1;

        FormatException(String message) {
            super(message);
        }
    }

    private final String where;
    private final JsonNode json;
    private final Set<String> read = new HashSet<>();
    private final List<GoldenCase> children = new ArrayList<>();

    /**
     * Creates a case.
     *
     * @param where name of the object in messages, such as {@code [3]}
     */
    GoldenCase(String where, JsonNode json) {
        if (!json.isObject()) {
            throw new FormatException(where + " is " + json.getNodeType() + ", not an object");
        }
        this.where = where;
        this.json = json;
    }

    /** Returns the name of a field in messages. */
    String where(String field) {
        return where + "." + field;
    }

    boolean has(String field) {
        return json.has(field);
    }

    double number(String field) {
        return number(where(field), required(field));
    }

    int integer(String field) {
        JsonNode value = required(field);
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw new FormatException(where(field) + "=" + value + " is no integer");
        }
        return value.intValue();
    }

    boolean flag(String field) {
        JsonNode value = required(field);
        if (!value.isBoolean()) {
            throw new FormatException(where(field) + "=" + value + " is neither true nor false");
        }
        return value.booleanValue();
    }

    /** Reads a constant written as in settings: {@code score-logit} is {@code SCORE_LOGIT}. */
    <E extends Enum<E>> E constant(Class<E> type, String field) {
        JsonNode value = required(field);
        return Arrays.stream(type.getEnumConstants())
                .filter(constant -> label(constant).equals(value.textValue()))
                .findFirst()
                .orElseThrow(() -> new FormatException(where(field) + "=" + value + ": known are "
                        + Arrays.stream(type.getEnumConstants())
                                .map(GoldenCase::label)
                                .toList()));
    }

    String text(String field) {
        JsonNode value = required(field);
        if (!value.isTextual()) {
            throw new FormatException(where(field) + "=" + value + " is no text");
        }
        return value.textValue();
    }

    double[] numbers(String field) {
        return numbers(where(field), required(field));
    }

    /** Reads arrays of numbers, which may differ in length. */
    List<double[]> rows(String field) {
        List<double[]> rows = new ArrayList<>();
        for (JsonNode row : array(field)) {
            rows.add(numbers(where(field) + "[" + rows.size() + "]", row));
        }
        return rows;
    }

    /** Reads arrays of a text and a number. */
    List<GoldenPair> pairs(String field) {
        List<GoldenPair> pairs = new ArrayList<>();
        for (JsonNode pair : array(field)) {
            String name = where(field) + "[" + pairs.size() + "]";
            if (pair.size() != 2 || !pair.path(0).isTextual()) {
                throw new FormatException(name + "=" + pair + " is no [text, number]");
            }
            pairs.add(new GoldenPair(pair.path(0).textValue(), number(name, pair.path(1))));
        }
        return pairs;
    }

    GoldenCase object(String field) {
        GoldenCase child = new GoldenCase(where(field), required(field));
        children.add(child);
        return child;
    }

    List<GoldenCase> objects(String field) {
        List<GoldenCase> objects = new ArrayList<>();
        for (JsonNode item : array(field)) {
            objects.add(new GoldenCase(where(field) + "[" + objects.size() + "]", item));
        }
        children.addAll(objects);
        return objects;
    }

    /**
     * Checks that every field was read.
     *
     * @throws FormatException naming every field of this object and those within it that was never read
     */
    void requireAllRead() {
        Set<String> unread = new TreeSet<>();
        json.fieldNames().forEachRemaining(field -> {
            if (!read.contains(field)) {
                unread.add(field);
            }
        });
        if (!unread.isEmpty()) {
            throw new FormatException(where + " has fields that the format does not: " + unread);
        }
        children.forEach(GoldenCase::requireAllRead);
    }

    private JsonNode array(String field) {
        JsonNode value = required(field);
        if (!value.isArray()) {
            throw new FormatException(where(field) + " is no array");
        }
        return value;
    }

    private JsonNode required(String field) {
        read.add(field);
        JsonNode value = json.get(field);
        if (value == null || value.isNull()) {
            throw new FormatException(where(field) + " is missing");
        }
        return value;
    }

    private static double[] numbers(String where, JsonNode array) {
        if (!array.isArray()) {
            throw new FormatException(where + " is no array");
        }
        double[] numbers = new double[array.size()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = number(where + "[" + i + "]", array.get(i));
        }
        return numbers;
    }

    private static double number(String where, JsonNode value) {
        if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
            throw new FormatException(where + "=" + value + " is no finite number");
        }
        return value.doubleValue();
    }

    private static String label(Object constant) {
        return constant.toString().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
