package darkroom.rewardactors.simulation;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The scripts of a local vLLM, from the jar: its installation into a private environment, the training of a small judge in
 * that environment, and a server of it.
 */
public final class VllmScripts {
    /** Prints the path of the environment's python, after installing it if it is missing. */
    public static final String INSTALL = "install.sh";

    /** Trains a judge; its head describes the data. */
    public static final String TRAIN = "train_judge.py";

    /** Serves a model: {@code serve.sh PYTHON MODEL PORT}. */
    public static final String SERVE = "serve.sh";

    private static final List<String> FILES = List.of(INSTALL, "requirements.txt", "make_tiny.py", TRAIN, SERVE);

    private VllmScripts() {}

    /** Writes the scripts into a directory, which is created if it is missing; shell scripts are made executable. */
    public static void extract(Path directory) throws IOException {
        Files.createDirectories(directory);
        for (String name : FILES) {
            Path file = directory.resolve(name);
            try (InputStream in = VllmScripts.class.getResourceAsStream("vllm/" + name)) {
                if (in == null) {
                    throw new IllegalStateException("script vllm/" + name + " is missing from the jar");
                }
                Files.write(file, in.readAllBytes());
            }
            if (name.endsWith(".sh") && !file.toFile().setExecutable(true)) {
                throw new IOException(file + " cannot be made executable");
            }
        }
    }
}
