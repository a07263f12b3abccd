package darkroom.config;

import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigIncludeContext;
import com.typesafe.config.ConfigIncluder;
import com.typesafe.config.ConfigIncluderClasspath;
import com.typesafe.config.ConfigIncluderFile;
import com.typesafe.config.ConfigIncluderURL;
import com.typesafe.config.ConfigObject;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigParseable;
import java.io.File;
import java.net.URL;
import org.jspecify.annotations.Nullable;

/** Makes every include of a configuration file required: HOCON ignores a missing one, and so a misspelt name. */
final class StrictIncludes implements ConfigIncluder, ConfigIncluderFile, ConfigIncluderURL, ConfigIncluderClasspath {
    private final @Nullable ConfigIncluder usual;

    StrictIncludes(@Nullable ConfigIncluder usual) {
        this.usual = usual;
    }

    @Override
    public ConfigIncluder withFallback(ConfigIncluder fallback) {
        return usual == null ? new StrictIncludes(fallback) : this;
    }

    @Override
    public ConfigObject include(ConfigIncludeContext context, String what) {
        if (usual == null) {
            throw new ConfigException.BugOrBroken("no includer");
        }
        return usual.include(new Required(context), what);
    }

    @Override
    public ConfigObject includeFile(ConfigIncludeContext context, File what) {
        return ConfigFactory.parseFile(what, required(context)).root();
    }

    @Override
    public ConfigObject includeURL(ConfigIncludeContext context, URL what) {
        return ConfigFactory.parseURL(what, required(context)).root();
    }

    @Override
    public ConfigObject includeResources(ConfigIncludeContext context, String what) {
        return ConfigFactory.parseResources(StrictIncludes.class.getClassLoader(), what, required(context))
                .root();
    }

    private static ConfigParseOptions required(ConfigIncludeContext context) {
        return context.parseOptions().setAllowMissing(false);
    }

    /** A context in which included files must exist. */
    private record Required(ConfigIncludeContext context) implements ConfigIncludeContext {
        @Override
        public @Nullable ConfigParseable relativeTo(String filename) {
            return context.relativeTo(filename);
        }

        @Override
        public ConfigParseOptions parseOptions() {
            return required(context);
        }

        @Override
        public ConfigIncludeContext setParseOptions(ConfigParseOptions options) {
            return new Required(context.setParseOptions(options));
        }
    }
}
