package darkroom.gpuworkers.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import darkroom.gpuworkers.pretrained.ConfigFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The values of {@code tokenizer_config.json} of a folder; each may be absent, and so may the file. */
record TokenizerConfig(JsonNode root) {
    static TokenizerConfig read(Path folder) throws IOException {
        Path file = folder.resolve("tokenizer_config.json");
        return new TokenizerConfig(Files.exists(file) ? ConfigFile.read(file).root() : MissingNode.getInstance());
    }

    /** Returns the text of a special token, which is written as a string or as an object with {@code content}. */
    String token(String key, String absent) {
        JsonNode token = root.path(key);
        String content =
                token.isTextual() ? token.textValue() : token.path("content").asText("");
        return content.isEmpty() ? absent : content;
    }

    String pad(String absent) {
        return token("pad_token", absent);
    }

    /** Returns the most tokens of a text; transformers writes 1e30 for "no limit". */
    int lengthMax() {
        double length = root.path("model_max_length").asDouble(0);
        return length < 1 || length > Integer.MAX_VALUE ? Integer.MAX_VALUE : (int) length;
    }

    /** Returns whether a special token is looked for in the normalized text, here in lower case. */
    boolean normalized(String content) {
        for (JsonNode token : root.path("added_tokens_decoder")) {
            if (token.path("content").asText().equals(content)) {
                return token.path("normalized").asBoolean(false);
            }
        }
        return false;
    }
}
