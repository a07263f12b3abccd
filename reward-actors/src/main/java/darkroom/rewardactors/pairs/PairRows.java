package darkroom.rewardactors.pairs;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import darkroom.config.ErrorReason;
import darkroom.rewardactors.protocol.ScorerFault;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Reads image pairs from a JSONL file, one row at a time: {@code id}, {@code source}, {@code edited}, {@code instruction}
 * and, optionally, {@code requirement} and {@code task}. Paths are relative to the file. Other fields are ignored, and blank
 * lines are skipped.
 */
public final class PairRows implements AutoCloseable {
    private static final int LINE_BYTES_MAX = 1 << 20;
    private static final int SHOWN_MAX = 60;

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final Path folder;
    private final InputStream in;
    private long line;

    /** One line of the file. */
    sealed interface Row {
        /** Returns the number of the line, from 1. */
        long line();

        /** Returns the row's id as in the file; JSON null if it has none. */
        JsonNode id();

        record Pair(
                long line, JsonNode id, Path source, Path edited, String instruction, String requirement, String task)
                implements Row {}

        /** @param reason one line */
        record Malformed(long line, JsonNode id, String reason) implements Row {}
    }

    /** Opens a file. @throws IOException if it cannot be read */
    public PairRows(Path file) throws IOException {
        Path parent = file.toAbsolutePath().getParent();
        this.folder = parent == null ? Path.of("") : parent;
        this.in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
    }

    /** Returns the next row, or null after the last. @throws IOException if the file cannot be read further */
    @Nullable
    Row next() throws IOException {
        while (true) {
            byte[] bytes = nextLine();
            if (bytes == null) {
                return null;
            }
            line++;
            if (bytes.length > LINE_BYTES_MAX) {
                return malformed(NullNode.instance, "the line is longer than " + LINE_BYTES_MAX + " bytes");
            }
            String text;
            try {
                text = StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(bytes))
                        .toString();
            } catch (CharacterCodingException e) {
                return malformed(NullNode.instance, "the line is not UTF-8");
            }
            if (text.startsWith("\uFEFF")) {
                return malformed(NullNode.instance, "the line begins with a byte order mark; save the file without it");
            }
            if (!text.isBlank()) {
                return parse(text);
            }
        }
    }

    private Row parse(String text) {
        JsonNode json;
        try {
            json = JSON.readTree(text);
        } catch (JsonProcessingException e) {
            return malformed(NullNode.instance, "the line is no JSON: " + ErrorReason.of(e));
        }
        if (!json.isObject()) {
            return malformed(NullNode.instance, "the line is no JSON object");
        }
        JsonNode id = json.path("id");
        if (!id.isTextual() && !id.isIntegralNumber()) {
            return malformed(NullNode.instance, wrong(json, "id", "a text or an integer"));
        }
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(id.asText())) {
            return malformed(NullNode.instance, "id holds half of a surrogate pair, which no file can");
        }
        for (String field : new String[] {"source", "edited", "instruction"}) {
            if (!json.path(field).isTextual() || json.path(field).textValue().isBlank()) {
                return malformed(id, wrong(json, field, "a text that is not blank"));
            }
        }
        for (String field : new String[] {"requirement", "task"}) {
            JsonNode value = json.path(field);
            if (!value.isMissingNode() && !value.isNull() && !value.isTextual()) {
                return malformed(id, wrong(json, field, "a text"));
            }
        }
        try {
            return new Row.Pair(
                    line,
                    id,
                    folder.resolve(json.path("source").textValue()),
                    folder.resolve(json.path("edited").textValue()),
                    json.path("instruction").textValue(),
                    json.path("requirement").asText(""),
                    json.path("task").asText(""));
        } catch (InvalidPathException e) {
            return malformed(id, "source or edited is no path: " + ErrorReason.of(e));
        }
    }

    private static String wrong(JsonNode json, String field, String wanted) {
        JsonNode value = json.path(field);
        String shown = value.toString();
        return value.isMissingNode()
                ? field + " is missing; it is " + wanted
                : field + "=" + (shown.length() <= SHOWN_MAX ? shown : shown.substring(0, SHOWN_MAX) + "...")
                        + " is not " + wanted;
    }

    private Row malformed(JsonNode id, String detail) {
        return new Row.Malformed(
                line, id, ScorerFault.permanent("bad-row", detail).reason());
    }

    /** Returns the bytes of the next line, cut after one byte too many; null at the end of the file. */
    private byte @Nullable [] nextLine() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        int c = in.read();
        if (c < 0) {
            return null;
        }
        for (; c >= 0 && c != '\n'; c = in.read()) {
            if (bytes.size() <= LINE_BYTES_MAX) {
                bytes.write(c);
            }
        }
        return bytes.toByteArray();
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
