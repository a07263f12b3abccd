package darkroom.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import com.typesafe.config.ConfigValueType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Converts HOCON to the settings records: a component {@code groupsPerStep} is the key {@code groups-per-step}. */
final class SettingsReader {
    private static final String REWARDS = "scoring.rewards";

    private SettingsReader() {}

    /**
     * Result of a complete check of settings.
     *
     * @param settings with the default instead of each faulty value; null if they cannot be read even so
     */
    record Checked(@Nullable RunSettings settings, List<SettingsException> faults) {}

    /**
     * @param known every existing key, with its default
     * @throws SettingsException naming all faults
     */
    static RunSettings read(Config config, Config known) {
        Checked checked = check(config, known);
        if (checked.settings() == null || !checked.faults().isEmpty()) {
            throw SettingsException.all(checked.faults());
        }
        return checked.settings();
    }

    /** Finds all faults: after each, the default replaces the faulty value, and the search continues. */
    static Checked check(Config config, Config known) {
        List<SettingsException> faults = new ArrayList<>(unknown(config, known));
        Config left = config;
        for (String key : values(config).keySet()) {
            if (!known.hasPathOrNull(key)) {
                left = left.withoutPath(key);
            }
        }
        Set<String> replaced = new HashSet<>();
        while (true) {
            SettingsException fault;
            try {
                return new Checked(record(RunSettings.class, left, ""), faults);
            } catch (SettingsException e) {
                fault = e;
            }
            String key = settingOf(fault.key(), known);
            boolean first = key.isEmpty() || replaced.add(key);
            if (first) {
                faults.addAll(ofElements(fault, left));
            }
            Optional<Config> next = first && !key.isEmpty()
                    ? Optional.of(left.withValue(key, known.getValue(key)))
                    : withoutCondition(key, left, known);
            if (next.isEmpty()) {
                return new Checked(null, faults);
            }
            left = next.get();
        }
    }

    /**
     * If the default of a faulty key is rejected as well, the value of another key forbids it.
     *
     * @return settings with the default of that other key; empty if there is none
     */
    private static Optional<Config> withoutCondition(String key, Config config, Config known) {
        for (var other : values(known).entrySet()) {
            if (!other.getValue()
                    .unwrapped()
                    .equals(config.getValue(other.getKey()).unwrapped())) {
                Config candidate = config.withValue(other.getKey(), other.getValue());
                try {
                    var _ = record(RunSettings.class, candidate, "");
                    return Optional.of(candidate);
                } catch (SettingsException e) {
                    if (!settingOf(e.key(), known).equals(key)) {
                        return Optional.of(candidate);
                    }
                }
            }
        }
        return Optional.empty();
    }

    /** Returns the key itself, or that of the list that contains it. */
    private static String settingOf(String key, Config known) {
        String setting = key;
        while (!setting.isEmpty() && !isSetting(setting, known)) {
            setting = setting.substring(0, Math.max(0, setting.lastIndexOf('.')));
        }
        return setting;
    }

    private static boolean isSetting(String key, Config known) {
        return known.hasPathOrNull(key) && known.getValue(key).valueType() != ConfigValueType.OBJECT;
    }

    /** Returns the faults of each element of a list of records. */
    private static List<SettingsException> ofElements(SettingsException fault, Config config) {
        if (!fault.key().startsWith(REWARDS + ".")) {
            return List.of(fault);
        }
        List<SettingsException> faults = new ArrayList<>();
        for (ConfigValue one : config.getList(REWARDS)) {
            try {
                var _ = records(
                        ScoringSettings.Reward.class,
                        config.withValue(REWARDS, ConfigValueFactory.fromIterable(List.of(one))),
                        REWARDS);
            } catch (SettingsException own) {
                faults.add(own);
            }
        }
        return faults.isEmpty() ? List.of(fault) : faults;
    }

    private static List<SettingsException> unknown(Config config, Config known) {
        List<SettingsException> faults = new ArrayList<>();
        for (var entry : values(config).entrySet()) {
            if (!known.hasPathOrNull(entry.getKey())) {
                int dot = entry.getKey().lastIndexOf('.');
                String section = dot < 0 ? "" : entry.getKey().substring(0, dot);
                TreeSet<String> allowed = known.entrySet().stream()
                        .map(Map.Entry::getKey)
                        .filter(key -> section.isEmpty() || key.startsWith(section + "."))
                        .collect(Collectors.toCollection(TreeSet::new));
                faults.add(new SettingsException("%s: there is no setting %s; there are %s"
                        .formatted(
                                entry.getValue().origin().description(),
                                entry.getKey(),
                                allowed.isEmpty() ? known.root().keySet() : allowed)));
            }
        }
        return faults;
    }

    private static Map<String, ConfigValue> values(Config config) {
        Map<String, ConfigValue> values = new TreeMap<>();
        config.entrySet().forEach(entry -> values.put(entry.getKey(), entry.getValue()));
        return values;
    }

    private static <T> T record(Class<T> type, Config config, String path) {
        RecordComponent[] components = type.getRecordComponents();
        Object[] values = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            String key = path + kebab(components[i].getName());
            try {
                values[i] = value(components[i].getType(), components[i].getGenericType(), config, key);
            } catch (ConfigException e) {
                throw new SettingsException(key, "%s: %s".formatted(key, ErrorReason.of(e)), e);
            }
        }
        try {
            var constructor = type.getDeclaredConstructor(
                    Arrays.stream(components).map(RecordComponent::getType).toArray(Class[]::new));
            return constructor.newInstance(values);
        } catch (InvocationTargetException e) {
            if (e.getTargetException() instanceof SettingsException refused) {
                throw refused;
            }
            throw new SettingsException(
                    (path.isEmpty() ? "" : path.substring(0, path.length() - 1) + ": ")
                            + ErrorReason.of(e.getTargetException()),
                    e);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(type + " is not a settings record", e);
        }
    }

    private static Object value(Class<?> type, Type generic, Config config, String key) {
        if (type.isRecord()) {
            return record(type, config, key + ".");
        }
        if (type.isEnum()) {
            String text = current(key, config.getString(key));
            return Arrays.stream(type.getEnumConstants())
                    .filter(constant -> label(constant).equalsIgnoreCase(text))
                    .findFirst()
                    .orElseThrow(() -> SettingsException.of(
                            key,
                            text,
                            Arrays.stream(type.getEnumConstants())
                                    .map(SettingsReader::label)
                                    .toList()
                                    .toString()));
        }
        if (type == List.class && generic instanceof ParameterizedType list) {
            Class<?> element = (Class<?>) list.getActualTypeArguments()[0];
            if (element.isRecord()) {
                return records(element, config, key);
            }
            List<String> texts = config.getStringList(key);
            return element == URI.class
                    ? texts.stream().map(text -> uri(key, text)).toList()
                    : texts;
        }
        return switch (type.getName()) {
            case "int" -> Math.toIntExact(whole(config, key, Integer.MIN_VALUE, Integer.MAX_VALUE));
            case "long" ->
                key.endsWith("bytes-max") ? config.getBytes(key) : whole(config, key, Long.MIN_VALUE, Long.MAX_VALUE);
            case "double" -> config.getDouble(key);
            case "boolean" -> config.getBoolean(key);
            case "java.lang.String" -> config.getString(key);
            case "java.time.Duration" -> duration(config, key);
            default -> throw new IllegalStateException(key + " has a type that settings do not have: " + type);
        };
    }

    /** Reads a list of records. The resource {@code KEY.conf} has the defaults of an element. */
    private static List<?> records(Class<?> element, Config config, String key) {
        Config usual = ConfigFactory.parseResources(
                SettingsReader.class,
                key + ".conf",
                ConfigParseOptions.defaults().setAllowMissing(false));
        Set<String> known = Arrays.stream(element.getRecordComponents())
                .map(component -> kebab(component.getName()))
                .collect(Collectors.toCollection(TreeSet::new));
        List<Object> records = new ArrayList<>();
        for (Config one : config.getConfigList(key)) {
            for (String written : one.root().keySet()) {
                if (!known.contains(written)) {
                    throw new SettingsException(
                            key + "." + written,
                            "%s: there is no setting %s.%s; there are %s"
                                    .formatted(one.origin().description(), key, written, known),
                            null);
                }
            }
            Config whole = one.withFallback(usual);
            for (String needed : known) {
                if (!whole.hasPath(needed)) {
                    throw new SettingsException(
                            key + "." + needed,
                            "%s: one of %s has no %s; write %s = [{ %s = ..., ... }]"
                                    .formatted(one.origin().description(), key, needed, key, needed),
                            null);
                }
            }
            records.add(record(element, whole.atPath(key), key + "."));
        }
        return records;
    }

    /** Reads an integer. The library is not asked for integers because it reads 3.7 as 3. */
    private static long whole(Config config, String key, long min, long max) {
        Number number = config.getNumber(key);
        long value = number.longValue();
        Allowed.require(number.doubleValue() == value, key, number, "whole numbers");
        Allowed.whole(key, value, min, max);
        return value;
    }

    /** Reads a duration. HOCON reads a bare number as milliseconds, which is rarely what 30 is meant to be. */
    private static Duration duration(Config config, String key) {
        String text = config.getString(key);
        Allowed.require(!text.strip().matches("[-+.\\d]+"), key, text, "times with a unit, such as 500ms, 30s, 2m");
        return config.getDuration(key);
    }

    private static URI uri(String key, String text) {
        try {
            return new URI(text);
        } catch (URISyntaxException e) {
            throw SettingsException.of(key, '"' + text + '"', "URLs: " + e.getReason());
        }
    }

    static Config write(Record settings) {
        Config config = ConfigFactory.empty();
        for (var entry : values(settings, "").entrySet()) {
            config = config.withValue(entry.getKey(), entry.getValue());
        }
        return config;
    }

    private static Map<String, ConfigValue> values(Record settings, String path) {
        Map<String, ConfigValue> values = new LinkedHashMap<>();
        for (RecordComponent component : settings.getClass().getRecordComponents()) {
            String key = path + kebab(component.getName());
            Object value;
            try {
                value = component.getAccessor().invoke(settings);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("cannot read " + key, e);
            }
            switch (value) {
                case Record inner -> values.putAll(values(inner, key + "."));
                case Enum<?> constant -> values.put(key, ConfigValueFactory.fromAnyRef(label(constant)));
                case Duration duration -> values.put(key, ConfigValueFactory.fromAnyRef(duration.toMillis() + "ms"));
                case List<?> list ->
                    values.put(
                            key,
                            ConfigValueFactory.fromIterable(
                                    list.stream().map(SettingsReader::element).toList()));
                default -> values.put(key, ConfigValueFactory.fromAnyRef(value));
            }
        }
        return values;
    }

    private static Object element(Object element) {
        return element instanceof Record inner ? write(inner).root() : element.toString();
    }

    /** Maps renamed values, so that settings files of older runs stay readable. */
    private static String current(String key, String text) {
        return key.equals("training.old-policy") && text.equalsIgnoreCase("paper") ? "public" : text;
    }

    private static String label(Object constant) {
        return constant.toString().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static String kebab(String name) {
        return name.replaceAll("([a-z0-9])([A-Z])", "$1-$2").toLowerCase(Locale.ROOT);
    }
}
