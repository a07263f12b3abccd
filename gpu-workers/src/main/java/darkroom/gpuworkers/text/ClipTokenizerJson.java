package darkroom.gpuworkers.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import darkroom.gpuworkers.pretrained.ConfigFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * The {@code tokenizer.json} of a CLIP tokenizer that is stored as {@code vocab.json} and {@code merges.txt}, with the rules of
 * transformers' CLIPTokenizer: NFC, one space for any white space, lower case; words, numbers one by one, and the rest; byte-level
 * pairs whose last one ends with {@code </w>}.
 */
final class ClipTokenizerJson {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String START = "<|startoftext|>";
    private static final String END = "<|endoftext|>";
    private static final String WORDS =
            "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

    private ClipTokenizerJson() {}

    static JsonNode of(Path folder, TokenizerConfig config) throws IOException {
        Path vocabFile = folder.resolve("vocab.json");
        JsonNode vocab = ConfigFile.read(vocabFile).root();
        String start = config.token("bos_token", START);
        String end = config.token("eos_token", END);
        ObjectNode json = JSON.createObjectNode().put("version", "1.0");
        json.putNull("truncation").putNull("padding");
        ArrayNode added = json.putArray("added_tokens");
        for (String special : List.of(start, end)) {
            JsonNode id = vocab.path(special);
            if (!id.isInt()) {
                throw new IOException(
                        "%s: has no token \"%s\"; download the folder again".formatted(vocabFile, special));
            }
            added.addObject()
                    .put("id", id.intValue())
                    .put("content", special)
                    .put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", config.normalized(special))
                    .put("special", true);
        }
        ArrayNode normalizers =
                json.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
        normalizers.addObject().put("type", "NFC");
        normalizers
                .addObject()
                .put("type", "Replace")
                .put("content", " ")
                .putObject("pattern")
                .put("Regex", "\\s+");
        normalizers.addObject().put("type", "Lowercase");
        ArrayNode pretokenizers =
                json.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
        pretokenizers
                .addObject()
                .put("type", "Split")
                .put("behavior", "Removed")
                .put("invert", true)
                .putObject("pattern")
                .put("Regex", WORDS);
        pretokenizers
                .addObject()
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", true);
        ObjectNode processor = json.putObject("post_processor")
                .put("type", "RobertaProcessing")
                .put("trim_offsets", false)
                .put("add_prefix_space", false);
        processor.putArray("sep").add(end).add(vocab.path(end).intValue());
        processor.putArray("cls").add(start).add(vocab.path(start).intValue());
        json.putObject("decoder")
                .put("type", "ByteLevel")
                .put("add_prefix_space", true)
                .put("trim_offsets", true)
                .put("use_regex", true);
        ObjectNode model = json.putObject("model")
                .put("type", "BPE")
                .putNull("dropout")
                .put("unk_token", config.token("unk_token", END))
                .put("continuing_subword_prefix", "")
                .put("end_of_word_suffix", "</w>")
                .put("fuse_unk", false)
                .put("byte_fallback", false)
                .put("ignore_merges", false);
        model.set("vocab", vocab);
        merges(folder.resolve("merges.txt"), vocab, model.putArray("merges"));
        return json;
    }

    private static void merges(Path file, JsonNode vocab, ArrayNode merges) throws IOException {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (NoSuchFileException e) {
            throw new IOException(file + " is missing; a CLIP tokenizer is vocab.json with it, or tokenizer.json", e);
        }
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.isBlank() || (i == 0 && line.startsWith("#version"))) {
                continue;
            }
            String[] pair = line.split(" ", -1);
            if (pair.length != 2 || !vocab.has(pair[0]) || !vocab.has(pair[1]) || !vocab.has(pair[0] + pair[1])) {
                throw new IOException(
                        "%s: line %d: \"%s\", expected two tokens of vocab.json whose concatenation is one; download both again"
                                .formatted(file, i + 1, line));
            }
            merges.addArray().add(pair[0]).add(pair[1]);
        }
    }
}
