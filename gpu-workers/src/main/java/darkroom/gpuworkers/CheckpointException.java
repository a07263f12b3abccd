package darkroom.gpuworkers;

import java.io.IOException;
import java.nio.file.Path;

/** A checkpoint is torn, altered or not there. The message names it and what is wrong. */
public final class CheckpointException extends IOException {
    CheckpointException(Path checkpoint, String problem) {
        super("checkpoint " + checkpoint + " refused: " + problem);
    }

    CheckpointException(String message) {
        super(message);
    }
}
