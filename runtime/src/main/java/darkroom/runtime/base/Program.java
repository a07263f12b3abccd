package darkroom.runtime.base;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

/** The program that this process runs: its version and the name of its main class. */
public final class Program {
    /** Main class of every process, started by {@code darkroom} and by processes that start others. */
    public static final String MAIN_CLASS = "darkroom.runtime.Darkroom";

    private static final String BUILD = "build.properties";

    private Program() {}

    /** Version of this build, or {@code unknown}. */
    public static String version() {
        Properties build = new Properties();
        try (InputStream in = Program.class.getResourceAsStream(BUILD)) {
            if (in != null) {
                build.load(in);
            }
        } catch (IOException e) {
            throw new IllegalStateException("the jar is broken: " + BUILD + " cannot be read", e);
        }
        return build.getProperty("version", "unknown");
    }
}
