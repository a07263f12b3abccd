package darkroom.gpuworkers.lora;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of a tensor in a file of adapters, taken apart.
 *
 * @param module the module's name without prefixes, as the file's configuration writes it
 */
record LoraTensorName(String module, Role role) {
    /** A is multiplied with the input, B with A's result. */
    enum Role {
        A,
        B,
        ALPHA
    }

    private static final Pattern FACTOR =
            Pattern.compile("(.+?)[._](lora_A|lora_B|lora_down|lora_up|lora\\.down|lora\\.up|lora_linear_layer\\.down"
                    + "|lora_linear_layer\\.up)(?:\\.\\w+)?\\.weight");
    private static final Pattern ALPHA = Pattern.compile("(.+)\\.alpha");
    private static final List<String> PREFIXES = List.of(
            "base_model.model.",
            "base_model.",
            "model.diffusion_model.",
            "diffusion_model.",
            "transformer.",
            "module.");
    private static final List<String> UNDERSCORED = List.of("lora_unet_", "lora_transformer_", "lycoris_");

    /** Reads names of one model's modules. */
    static final class Reader {
        private final Map<String, String> underscored = new HashMap<>();

        Reader(LoraTargets targets) {
            targets.foreign().keySet().forEach(name -> underscored.put(name.replace('.', '_'), name));
            targets.modules().keySet().forEach(name -> underscored.put(name.replace('.', '_'), name));
        }

        /** Returns empty for a name that is none of a factor or an alpha. */
        Optional<LoraTensorName> read(String name) {
            Matcher factor = FACTOR.matcher(name);
            if (factor.matches()) {
                String kind = factor.group(2);
                boolean first = kind.endsWith("A") || kind.endsWith("down");
                return Optional.of(new LoraTensorName(module(factor.group(1)), first ? Role.A : Role.B));
            }
            Matcher alpha = ALPHA.matcher(name);
            return alpha.matches()
                    ? Optional.of(new LoraTensorName(module(alpha.group(1)), Role.ALPHA))
                    : Optional.empty();
        }

        private String module(String name) {
            for (String prefix : UNDERSCORED) {
                if (name.startsWith(prefix)) {
                    String module = name.substring(prefix.length());
                    return underscored.getOrDefault(module, module);
                }
            }
            String module = name;
            for (int i = 0; i < PREFIXES.size(); i++) {
                String prefix = PREFIXES.get(i);
                if (module.startsWith(prefix)) {
                    module = module.substring(prefix.length());
                    i = -1;
                }
            }
            return module;
        }
    }
}
