package darkroom.config;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigValueFactory;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Converts the paths in settings to absolute ones. */
final class RecordedPaths {
    /** Settings that contain the path of a file or a directory, with the values that are names instead. */
    private static final Map<String, List<String>> PATHS = Map.of(
            "data.source", List.of("embedded"),
            "policy.base", List.of("mixed", "clean"),
            "policy.weights", List.of(),
            "scoring.cache", List.of(),
            "checkpoints.copy-to", List.of(),
            "cluster.tls.certificate", List.of(),
            "cluster.tls.key", List.of(),
            "cluster.tls.authority", List.of(),
            "cluster.tensor-plane.driver", List.of("embedded"));

    private static final String LEDGER_URL = "ledger.url";

    /** Parameters of a PostgreSQL URL that contain paths of files. */
    private static final Pattern URL_FILES = Pattern.compile(
            "(?<=[?&])((?:sslrootcert|sslcert|sslkey|sslcrl|pgpassfile)=)([^&]+)", Pattern.CASE_INSENSITIVE);

    private RecordedPaths() {}

    static Config absolute(Config settings) {
        Config all = settings;
        for (var path : PATHS.entrySet()) {
            String value = all.getString(path.getKey());
            if (!value.isEmpty() && !path.getValue().contains(value) && !value.contains("://")) {
                all = all.withValue(path.getKey(), ConfigValueFactory.fromAnyRef(absolute(value)));
            }
        }
        String url = URL_FILES.matcher(all.getString(LEDGER_URL)).replaceAll(RecordedPaths::parameter);
        return all.withValue(LEDGER_URL, ConfigValueFactory.fromAnyRef(url));
    }

    private static String parameter(MatchResult found) {
        return Matcher.quoteReplacement(found.group(1) + absolute(found.group(2)));
    }

    private static String absolute(String path) {
        try {
            return Path.of(path).toAbsolutePath().toString();
        } catch (InvalidPathException e) {
            return path; // the code that opens it reports the fault
        }
    }
}
