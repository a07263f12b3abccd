package darkroom.rewardactors.suites;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import darkroom.config.ErrorReason;
import darkroom.edittasks.pictures.FileFault;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;

/** One JSON object of a file of items, and its location, which is part of every error message. */
record SuiteFields(String where, JsonNode json) {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final long FILE_BYTES_MAX = 256L << 20;

    /** Returns the text of a file of items. @throws SuiteItemsException if it cannot be read or is too large */
    static String text(Path file) {
        try {
            if (!Files.isRegularFile(file)) {
                throw new SuiteItemsException(file + " is not a file; name the suite's file of items with --items");
            }
            if (Files.size(file) > FILE_BYTES_MAX) {
                throw new SuiteItemsException("%s has %d bytes, more than %d: pictures do not belong into it"
                        .formatted(file, Files.size(file), FILE_BYTES_MAX));
            }
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new SuiteItemsException(file + " is not UTF-8");
        } catch (IOException e) {
            throw new SuiteItemsException("%s cannot be read: %s".formatted(file, FileFault.reason(e, file)));
        }
    }

    /** @throws SuiteItemsException unless the text is one JSON object */
    static SuiteFields parse(String where, String text) {
        try {
            SuiteFields fields = new SuiteFields(where, JSON.readTree(text));
            if (!fields.json.isObject()) {
                throw fields.wrong("is no JSON object");
            }
            return fields;
        } catch (JsonProcessingException e) {
            throw new SuiteItemsException("%s is no JSON: %s".formatted(where, ErrorReason.of(e)));
        }
    }

    /** Returns a text that is not blank. */
    String text(String field) {
        JsonNode value = json.path(field);
        if (!value.isTextual() || value.textValue().isBlank()) {
            throw wrong("needs " + field + ", a text that is not blank; it has " + shown(value));
        }
        return value.textValue();
    }

    /** Returns a text that can name a file in any directory. */
    String name(String field) {
        return name(field, text(field));
    }

    String name(String what, String value) {
        if (value.isBlank() || value.matches("(?s).*[/\\\\\\p{Cntrl}].*") || value.matches("\\.+")) {
            throw wrong(what + "=\"" + value + "\" cannot be the name of a file");
        }
        return value;
    }

    /** Returns a boolean field by either of two names. */
    boolean flag(String field, String otherwise) {
        JsonNode value = json.has(field) ? json.path(field) : json.path(otherwise);
        if (!value.isBoolean()) {
            throw wrong("needs " + field + ", true or false; it has " + shown(value));
        }
        return value.booleanValue();
    }

    SuiteItemsException wrong(String what) {
        return new SuiteItemsException(where + " " + what);
    }

    private static String shown(JsonNode value) {
        return value.isMissingNode() ? "none" : value.toString();
    }
}
