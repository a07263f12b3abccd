package darkroom.gpuworkers.checkpoints;

import java.io.IOException;
import java.nio.file.Path;

/** A checkpoint is torn, altered or missing. The message names it and the fault. */
public final class CheckpointException extends IOException {
    CheckpointException(Path checkpoint, String problem) {
        super("checkpoint " + checkpoint + " refused: " + problem);
    }

    CheckpointException(String message) {
        super(message);
    }
}
