package darkroom.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigValueFactory;
import com.typesafe.config.ConfigValueType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Loads settings from a named recipe or a file. A recipe or file contains only the differences from {@code defaults.conf},
 * which has every key with a comment.
 */
public final class Recipes {
    /** Recipes that ship with Darkroom. */
    public static final List<String> SHIPPED = List.of(
            "embedded-demo",
            "embedded-paper",
            "embedded-paper-literal",
            "embedded-flow-grpo",
            "embedded-flow-grpo-local",
            "flux-kontext",
            "flux-kontext-ban",
            "qwen-image-edit",
            "qwen-image-edit-public",
            "uniworld-v2");

    private static final String DEFAULTS = "defaults.conf";
    private static final ConfigParseOptions STRICT =
            ConfigParseOptions.defaults().setAllowMissing(false).setIncluder(new StrictIncludes(null));

    private Recipes() {}

    /**
     * Loads and validates settings.
     *
     * @param nameOrFile one of {@link #SHIPPED}, or the path of a HOCON file
     * @param overrides {@code key=value} pairs that win over the recipe
     * @throws SettingsException if the recipe does not exist, a key is unknown, or a value is not allowed
     */
    public static RunSettings load(String nameOrFile, List<String> overrides) {
        return SettingsReader.read(resolved(nameOrFile, overrides), defaults());
    }

    /**
     * Result of a complete check of settings.
     *
     * @param settings with the default instead of each faulty value; empty if they cannot be read even so
     * @param faults one line each; empty if {@link #load} accepts the settings
     */
    public record Check(Optional<RunSettings> settings, List<String> faults) {
        public Check {
            faults = List.copyOf(faults);
        }
    }

    /** Finds all faults of a recipe or file, where {@link #load} rejects it. */
    public static Check check(String nameOrFile, List<String> overrides) {
        try {
            SettingsReader.Checked checked = SettingsReader.check(resolved(nameOrFile, overrides), defaults());
            return new Check(
                    Optional.ofNullable(checked.settings()),
                    checked.faults().stream()
                            .flatMap(fault -> fault.faults().stream())
                            .distinct()
                            .toList());
        } catch (SettingsException unreadable) {
            return new Check(Optional.empty(), unreadable.faults());
        }
    }

    /**
     * Returns every setting with its value and meaning, in the order and with the comments of the defaults; a value that is
     * not the default is followed by the default. {@link #load} reads the text back to the same settings.
     *
     * @throws SettingsException as {@link #load}
     */
    public static String explain(String nameOrFile, List<String> overrides) {
        var _ = load(nameOrFile, overrides);
        return SettingsText.of(defaultText(), defaults(), resolved(nameOrFile, overrides));
    }

    private static Config resolved(String nameOrFile, List<String> overrides) {
        try {
            Config own = ConfigFactory.empty();
            for (String override : overrides) {
                if (override.indexOf('=') < 1) {
                    throw new SettingsException("\"%s\" is not of the form key=value".formatted(override));
                }
                own = override(override).withFallback(own);
            }
            return TemplateFiles.read(own.withFallback(source(nameOrFile))
                    .withFallback(defaults())
                    .resolve());
        } catch (ConfigException e) {
            throw new SettingsException("configuration %s: %s".formatted(nameOrFile, ErrorReason.of(e)), e);
        }
    }

    /**
     * Text is taken literally, so that an address ({@code ledger.url=jdbc:postgresql://db/runs}) or a path needs no quotes;
     * quoted text, substitutions and values that are not text are HOCON.
     */
    private static Config override(String override) {
        String origin = '"' + override + '"';
        int equals = override.indexOf('=');
        String key = override.substring(0, equals).strip();
        String value = override.substring(equals + 1).strip();
        Config known = defaults();
        boolean text = key.matches("[a-z0-9-]+(\\.[a-z0-9-]+)*")
                && known.hasPath(key)
                && known.getValue(key).valueType() == ConfigValueType.STRING
                && !value.startsWith("\"")
                && !value.contains("${");
        return text
                ? ConfigFactory.empty().withValue(key, ConfigValueFactory.fromAnyRef(value, origin))
                : ConfigFactory.parseString(
                        override, ConfigParseOptions.defaults().setOriginDescription(origin));
    }

    private static Config defaults() {
        return ConfigFactory.parseResources(Recipes.class, DEFAULTS, STRICT);
    }

    private static List<String> defaultText() {
        try (InputStream in = Recipes.class.getResourceAsStream(DEFAULTS)) {
            return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(DEFAULTS + " cannot be read", e);
        }
    }

    private static Config source(String nameOrFile) {
        if (SHIPPED.contains(nameOrFile)) {
            return ConfigFactory.parseResources(Recipes.class, "recipes/" + nameOrFile + ".conf", STRICT);
        }
        Path file = path(nameOrFile);
        if (!Files.isRegularFile(file)) {
            throw new SettingsException("recipe \"%s\" is neither one of %s nor a file".formatted(nameOrFile, SHIPPED));
        }
        return ConfigFactory.parseFile(file.toFile(), STRICT);
    }

    private static Path path(String nameOrFile) {
        try {
            return Path.of(nameOrFile);
        } catch (InvalidPathException e) {
            throw new SettingsException("recipe \"%s\" is no path: %s".formatted(nameOrFile, e.getReason()), e);
        }
    }

    /**
     * Reads the output of {@link #render}, perhaps on another machine.
     *
     * @throws SettingsException if a key is unknown, or a value is not allowed
     */
    public static RunSettings parse(String text) {
        try {
            Config known = defaults();
            return SettingsReader.read(
                    ConfigFactory.parseString(text).withFallback(known).resolve(), known);
        } catch (ConfigException e) {
            throw new SettingsException("settings from the control node: " + ErrorReason.of(e), e);
        }
    }

    /** Returns the settings as HOCON that {@link #load} and {@link #parse} read back to an equal record. */
    public static String render(RunSettings settings) {
        return SettingsReader.write(settings)
                .root()
                .render(ConfigRenderOptions.defaults().setOriginComments(false).setJson(false));
    }

    /**
     * Returns the settings as a run records them when it begins: with the digests of its inputs, and with absolute paths, so
     * that they mean the same from any working directory.
     */
    public static RunSettings recorded(RunSettings settings, InputSettings inputs) {
        Config all = SettingsReader.write(settings);
        for (var digest : SettingsReader.write(inputs).entrySet()) {
            all = all.withValue("inputs." + digest.getKey(), digest.getValue());
        }
        return SettingsReader.read(RecordedPaths.absolute(all), defaults());
    }

    /**
     * Returns the settings that decide the result of a run, as HOCON: two runs with equal text compute the same. Where the
     * content of an input is recorded, its path is omitted.
     */
    public static String deciding(RunSettings settings) {
        Config all = SettingsReader.write(settings);
        if (!settings.inputs().train().isEmpty()) {
            all = all.withoutPath("data.source");
        }
        if (!settings.inputs().base().isEmpty()) {
            all = all.withoutPath("policy.base").withoutPath("policy.weights");
        }
        for (String path : List.of(
                "workers",
                "limits",
                "checkpoints",
                "ledger",
                "cluster",
                "faults",
                "evaluation",
                "scoring.endpoints",
                "scoring.cache",
                "scoring.cache-max",
                "scoring.flat-groups-warn",
                "scoring.flat-groups-max",
                "recipe",
                "steps")) {
            all = all.withoutPath(path);
        }
        all = all.withValue(
                "scoring.rewards",
                ConfigValueFactory.fromIterable(all.getObjectList("scoring.rewards").stream()
                        .map(reward -> reward.withoutKey("endpoints"))
                        .toList()));
        return all.root().render(ConfigRenderOptions.concise());
    }
}
