package darkroom.gpuworkers.checkpoints;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A checkpoint is torn, altered or missing. The message names it and the fault. */
public final class CheckpointException extends IOException {
    private static final long serialVersionUID = 1;

    private final @Nullable String file;

    CheckpointException(Path checkpoint, String problem) {
        this(checkpoint, null, problem);
    }

    /** @param file name of the file that is missing or damaged */
    CheckpointException(Path checkpoint, @Nullable String file, String problem) {
        super("checkpoint " + checkpoint + " refused: " + problem);
        this.file = file;
    }

    CheckpointException(String message) {
        super(message);
        this.file = null;
    }

    /** Returns the name of the file of the checkpoint that is missing or damaged, if it is one besides the manifest. */
    public Optional<String> file() {
        return Optional.ofNullable(file);
    }
}
