package darkroom.gpuworkers.torchscript;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * TorchScript source from a resource file, with its named constants filled in.
 *
 * <p>A file {@code NAME.torchscript} beside this class holds functions in the TorchScript subset of Python, as {@code
 * torch.jit.CompilationUnit} takes them; see {@link TorchScriptArchive} for what they may call. {@code ${NAME}} stands for a constant: a size, a weight of the loss, or one of PyTorch's scalar types, which are always
 * defined ({@code FLOAT32}, {@code FLOAT64}, {@code BFLOAT16}). Lines that begin with {@code #} are comments.
 */
public final class TorchScriptSource {
    /** Numbers of PyTorch's scalar types: c10/core/ScalarType.h. */
    private static final Map<String, String> SCALAR_TYPES = Map.of("FLOAT32", "6", "FLOAT64", "7", "BFLOAT16", "15");

    private static final Pattern CONSTANT = Pattern.compile("\\$\\{([A-Z][A-Z0-9_]*)}");

    private final String name;
    private final String source;
    private final Map<String, String> constants = new HashMap<>(SCALAR_TYPES);

    private TorchScriptSource(String name, String source) {
        this.name = name;
        this.source = source;
    }

    /**
     * Reads the source {@code NAME.torchscript}.
     *
     * @throws IllegalStateException if the jar does not contain it
     */
    public static TorchScriptSource of(String name) {
        String resource = name + ".torchscript";
        try (InputStream in = TorchScriptSource.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException(resource + " is missing from the gpu-workers jar; rebuild it");
            }
            return new TorchScriptSource(name, new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + resource, e);
        }
    }

    /**
     * Sets a constant.
     *
     * @throws IllegalArgumentException if the source does not use it
     */
    public TorchScriptSource with(String constant, String value) {
        if (!source.contains("${" + constant + "}")) {
            throw new IllegalArgumentException("%s.torchscript has no constant %s".formatted(name, constant));
        }
        constants.put(constant, value);
        return this;
    }

    /**
     * Returns the source without comments, every constant replaced by its value.
     *
     * @throws IllegalStateException if a constant has no value
     */
    public String text() {
        Set<String> missing = new HashSet<>();
        String code = source.lines()
                .filter(line -> !line.stripLeading().startsWith("#"))
                .collect(Collectors.joining("\n", "", "\n"));
        String filled = CONSTANT.matcher(code).replaceAll(found -> {
            String value = constants.get(found.group(1));
            if (value == null) {
                missing.add(found.group(1));
                return "";
            }
            return Matcher.quoteReplacement(value);
        });
        if (!missing.isEmpty()) {
            throw new IllegalStateException("%s.torchscript: no value for %s"
                    .formatted(name, missing.stream().sorted().collect(Collectors.joining(", "))));
        }
        return filled;
    }
}
