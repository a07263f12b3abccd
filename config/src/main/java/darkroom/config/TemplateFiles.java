package darkroom.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigList;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueFactory;
import com.typesafe.config.ConfigValueType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Replaces {@code TASK=@FILE} by the content of the template file, once, when settings are read: the text itself is recorded
 * with a run and sent to its nodes, and later changes of the file affect no run. A path is relative to the configuration file
 * that names it, or to the working directory.
 */
final class TemplateFiles {
    private static final String TEMPLATES = "templates";
    private static final String REWARDS = "scoring.rewards";
    private static final long BYTES_MAX = 64 << 10;

    private TemplateFiles() {}

    /** @throws SettingsException if a file cannot be read */
    static Config read(Config config) {
        Config read = config;
        if (config.getValue("scoring." + TEMPLATES) instanceof ConfigList list) {
            read = read.withValue("scoring." + TEMPLATES, texts("scoring." + TEMPLATES, list));
        }
        if (config.getValue(REWARDS) instanceof ConfigList list) {
            read = read.withValue(
                    REWARDS,
                    ConfigValueFactory.fromIterable(
                            list.stream().map(TemplateFiles::reward).toList()));
        }
        return read;
    }

    private static ConfigValue reward(ConfigValue reward) {
        return reward instanceof ConfigObject object && object.get(TEMPLATES) instanceof ConfigList list
                ? object.withValue(TEMPLATES, texts(REWARDS + "." + TEMPLATES, list))
                : reward;
    }

    private static ConfigList texts(String key, ConfigList list) {
        List<Object> texts = new ArrayList<>();
        for (ConfigValue value : list) {
            texts.add(value.valueType() == ConfigValueType.STRING ? text(key, value) : value);
        }
        return ConfigValueFactory.fromIterable(texts);
    }

    private static String text(String key, ConfigValue value) {
        String written = value.unwrapped().toString();
        int at = written.indexOf("=@");
        if (at < 0 || written.substring(0, at).contains("=")) {
            return written;
        }
        String file = written.substring(at + 2).strip();
        try {
            String of = value.origin().filename();
            Path path = of == null ? Path.of(file) : Path.of(of).resolveSibling(file);
            if (Files.size(path) > BYTES_MAX) {
                throw SettingsException.of(key, written, "files of " + BYTES_MAX + " bytes at most");
            }
            return written.substring(0, at + 1) + Files.readString(path).strip();
        } catch (InvalidPathException | IOException e) {
            throw new SettingsException("%s: template %s cannot be read: %s".formatted(key, written, e), e);
        }
    }
}
