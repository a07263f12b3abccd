package darkroom.gpuworkers.pretrained;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A JSON configuration of a model folder, read with messages that name the file, the key, the value and what is expected. */
public final class ConfigFile {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;
    private final JsonNode root;

    private ConfigFile(Path file, JsonNode root) {
        this.file = file;
        this.root = root;
    }

    /**
     * Reads a file.
     *
     * @throws IOException naming the file, if it is missing or no JSON object
     */
    public static ConfigFile read(Path file) throws IOException {
        try {
            String text = Files.readString(file);
            JsonNode root = JSON.readTree(text);
            if (root == null || !root.isObject()) {
                throw new IOException(file + ": no JSON object, but: "
                        + text.strip().lines().findFirst().orElse("an empty file") + "; download the folder again");
            }
            return new ConfigFile(file, root);
        } catch (NoSuchFileException e) {
            throw new IOException(file + " is missing; a model folder has the layout of diffusers", e);
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new IOException(
                    "%s: no JSON (%s); download the folder again".formatted(file, e.getOriginalMessage()), e);
        }
    }

    /** Requires a value, in its JSON text without quotes, if the key is present. */
    public void expect(String key, String value) throws IOException {
        JsonNode node = root.get(key);
        if (node != null && !node.asText().equals(value)) {
            throw wrong(key, node.toString(), value);
        }
    }

    /** Returns the exception for a value that Darkroom does not compute. */
    public IOException wrong(String key, String value, String expected) {
        return new IOException("%s: %s=%s, expected %s".formatted(file, key, value, expected));
    }

    /** Returns a whole number of at least 1. */
    public int positive(String key) throws IOException {
        JsonNode node = required(key);
        if (!node.isInt() || node.intValue() < 1) {
            throw wrong(key, node.toString(), "a whole number of at least 1");
        }
        return node.intValue();
    }

    /** Returns a number. */
    public double number(String key) throws IOException {
        JsonNode node = required(key);
        if (!node.isNumber()) {
            throw wrong(key, node.toString(), "a number");
        }
        return node.doubleValue();
    }

    /** Returns a number, or {@code absent} where the key is missing or null. */
    public double number(String key, double absent) throws IOException {
        JsonNode node = root.get(key);
        return node == null || node.isNull() ? absent : number(key);
    }

    /** Returns a list of whole numbers of at least 1. */
    public List<Integer> numbers(String key) throws IOException {
        JsonNode node = required(key);
        List<Integer> numbers = new ArrayList<>();
        for (JsonNode element : node) {
            if (!element.isInt() || element.intValue() < 1) {
                throw wrong(key, node.toString(), "a list of whole numbers of at least 1");
            }
            numbers.add(element.intValue());
        }
        if (!node.isArray() || numbers.isEmpty()) {
            throw wrong(key, node.toString(), "a list of whole numbers of at least 1");
        }
        return numbers;
    }

    /** Returns true or false. */
    public boolean truth(String key) throws IOException {
        JsonNode node = required(key);
        if (!node.isBoolean()) {
            throw wrong(key, node.toString(), "true or false");
        }
        return node.booleanValue();
    }

    /** Returns true or false, or {@code absent} where the key is missing or null. */
    public boolean truth(String key, boolean absent) throws IOException {
        JsonNode node = root.get(key);
        return (node == null || node.isNull()) ? absent : truth(key);
    }

    /** Returns a text, empty where the key is missing or null. */
    public Optional<String> text(String key) {
        JsonNode node = root.get(key);
        return node == null || !node.isTextual() ? Optional.empty() : Optional.of(node.textValue());
    }

    /** Returns the whole object. */
    public JsonNode root() {
        return root;
    }

    private JsonNode required(String key) throws IOException {
        JsonNode node = root.get(key);
        if (node == null || node.isNull()) {
            throw new IOException("%s: %s is missing".formatted(file, key));
        }
        return node;
    }
}
