package darkroom.gpuworkers.lora;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** Scales of adapters as a configuration of PEFT states them: alpha and rank, with exceptions for single modules. */
final class LoraScales {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String where;
    private final String prefix;
    private final JsonNode root;

    private LoraScales(String where, String prefix, JsonNode root) {
        this.where = where;
        this.prefix = prefix;
        this.root = root;
    }

    /**
     * Reads a configuration.
     *
     * @param where the configuration in messages
     * @param prefix of its keys
     * @throws IOException if it is no configuration, or one of adapters that are not low-rank factors alone
     */
    static LoraScales of(String where, String prefix, String text) throws IOException {
        LoraScales scales;
        try {
            scales = new LoraScales(where, prefix, JSON.readTree(text));
        } catch (JsonProcessingException e) {
            throw new IOException(
                    "%s is no JSON (%s); save the adapter again".formatted(where, e.getOriginalMessage()), e);
        }
        scales.refuse("use_dora", "DoRA");
        scales.refuse("lora_bias", "biases");
        scales.refuse("fan_in_fan_out", "transposed weights");
        JsonNode type = scales.root.path(prefix + "peft_type");
        if (type.isTextual() && !type.textValue().equals("LORA")) {
            throw new IOException("%s: peft_type=%s; only LORA is applied".formatted(where, type.textValue()));
        }
        scales.number("r");
        scales.number("lora_alpha");
        return scales;
    }

    /**
     * Returns the factor by which B A is multiplied.
     *
     * @param rank of the module's factors
     * @throws IOException if the configuration states another rank
     */
    double scale(String module, int rank) throws IOException {
        double stated = pattern("rank_pattern", module).orElse(number("r"));
        if (stated != rank) {
            throw new IOException(
                    "%s states rank %s for %s, its factors have rank %d; take the configuration that was saved with the adapter"
                            .formatted(where, (long) stated, module, rank));
        }
        double alpha = pattern("alpha_pattern", module).orElse(number("lora_alpha"));
        return root.path(prefix + "use_rslora").asBoolean(false) ? alpha / Math.sqrt(rank) : alpha / rank;
    }

    /** As PEFT: the first pattern that matches the end of the module's name, from the beginning or a dot. */
    private OptionalDouble pattern(String key, String module) throws IOException {
        for (Map.Entry<String, JsonNode> entry : root.path(prefix + key).properties()) {
            try {
                if (Pattern.compile("(.*\\.)?(" + entry.getKey() + ")")
                        .matcher(module)
                        .matches()) {
                    if (!entry.getValue().isNumber()) {
                        throw new IOException("%s: %s.%s=%s is no number"
                                .formatted(where, prefix + key, entry.getKey(), entry.getValue()));
                    }
                    return OptionalDouble.of(entry.getValue().doubleValue());
                }
            } catch (PatternSyntaxException e) {
                throw new IOException("%s: %s: \"%s\" is no pattern".formatted(where, prefix + key, entry.getKey()), e);
            }
        }
        return OptionalDouble.empty();
    }

    private double number(String key) throws IOException {
        JsonNode node = root.path(prefix + key);
        if (!node.isNumber() || !(node.doubleValue() > 0)) {
            throw new IOException("%s: %s=%s, expected a number above 0"
                    .formatted(where, prefix + key, node.isMissingNode() ? "absent" : node));
        }
        return node.doubleValue();
    }

    private void refuse(String key, String words) throws IOException {
        if (root.path(prefix + key).asBoolean(false)) {
            throw new IOException("%s: %s=true: adapters with %s are not applied; take an adapter of plain LoRA"
                    .formatted(where, prefix + key, words));
        }
    }
}
